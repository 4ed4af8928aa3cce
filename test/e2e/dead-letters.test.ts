import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { freePort } from '../servers/ports.ts'
import { startRedis } from '../servers/redis.ts'
import { MAIN } from '../servers/runtime.ts'
import { type BulkSink, startBulkSink } from './bulk-sink.ts'
import { inParallel, numberedRequests, postUntilAccepted } from './client.ts'
import { eventually, type Sluice, startSluice } from './sluice.ts'

const REQUESTS = 12
const RECORDS = 50
const exec = promisify(execFile)

interface Listed {
  readonly id: string
  readonly records: number
  readonly pipeline: string
  readonly reason: string
}

describe.each(['disk', 'redis'] as const)('dead letters in %s, with the command line', (kind) => {
  let started: AsyncDisposableStack
  let sink: BulkSink
  let sluice: Sluice
  let http: number

  beforeEach(async () => {
    started = new AsyncDisposableStack()
    sink = started.use(await startBulkSink())
    http = await freePort()
    const folder = await mkdtemp(join(tmpdir(), 'sluice-letters-'))
    started.defer(() => rm(folder, { recursive: true, force: true }))
    const settings =
      kind === 'disk'
        ? `{ directory: "${folder}/buffer", element_size: 1KiB }`
        : `{ url: "${started.use(await startRedis()).url}", element_size: 1KiB, heartbeat: 500ms, worker_timeout: 2s }`
    sluice = started.use(await startSluice({ config: configOf(kind, settings, http, sink.url) }))
  })

  afterEach(() => started.disposeAsync())

  const command = async (...args: string[]): Promise<string> =>
    (await exec(process.execPath, [MAIN, ...args, '--config', sluice.file])).stdout
  const letters = async (): Promise<Listed[]> => JSON.parse(await command('dlq', 'ls', '--json')) as Listed[]
  const value = async (name: string): Promise<number> => (await sluice.metrics()).sum(name)

  /** All odd records are refused. */
  async function refuseHalf(): Promise<void> {
    sink.refuses = (sequence) => sequence % 2 === 1
    const requests = numberedRequests(REQUESTS, RECORDS, 'letters')
    await inParallel(requests, 4, ({ bytes }) => postUntilAccepted(http, bytes))
    await eventually('the buffer is empty', async () => (await value('sluice_buffer_records')) === 0)
    await eventually('half is kept', async () => {
      return (await value('sluice_dead_letter_records')) === (REQUESTS * RECORDS) / 2
    })
  }

  it('are found, and delivered once the destination takes them, with nothing lost or doubled', async () => {
    await refuseHalf()
    expect(sink.documents.size).toBe((REQUESTS * RECORDS) / 2)

    const before = await letters()
    const [first] = before
    const shown = (await command('dlq', 'show', first.id)).trimEnd().split('\n')
    sink.refuses = () => false
    const one = await command('dlq', 'replay', first.id, '--json')
    const rest = await command('dlq', 'replay', '--where', 'reason=~attributes\\.seq', '--json')

    expect(before.reduce((sum, { records }) => sum + records, 0)).toBe((REQUESTS * RECORDS) / 2)
    expect(first).toMatchObject({
      pipeline: 'logs/drain',
      reason: expect.stringContaining('attributes.seq') as string,
    })
    expect(shown).toHaveLength(first.records)
    expect(JSON.parse(one)).toEqual({ letters: 1, records: first.records, left: 0 })
    expect(JSON.parse(rest)).toMatchObject({ letters: before.length - 1, left: 0 })
    await eventually('all is delivered', async () => sink.documents.size === REQUESTS * RECORDS)
    expect([...sink.documents.values()].sort((a, b) => a - b)).toEqual(
      Array.from({ length: REQUESTS * RECORDS }, (_, sequence) => sequence),
    )
    expect(await letters()).toEqual([])
    await eventually('no letters are left', async () => (await value('sluice_dead_letter_records')) === 0)
    await eventually('the buffer is empty', async () => (await value('sluice_buffer_records')) === 0)
  })

  it('come back when they are refused again, and a replay does not chase them', async () => {
    await refuseHalf()
    const before = (await letters()).length

    const replayed = JSON.parse(await command('dlq', 'replay', '--all', '--json')) as { letters: number }

    expect(replayed.letters).toBe(before)
    await eventually('half is kept again', async () => {
      return (await value('sluice_dead_letter_records')) === (REQUESTS * RECORDS) / 2
    })
    expect(sink.documents.size).toBe((REQUESTS * RECORDS) / 2)
  })

  it('are all delivered when the collector is killed in the middle of a replay', async () => {
    await refuseHalf()
    sink.refuses = () => false

    const replaying = command('dlq', 'replay', '--all').catch((error: unknown) => String(error))
    await eventually('some are delivered', async () => sink.documents.size > (REQUESTS * RECORDS) / 2)
    await sluice.kill()
    await replaying
    await sluice.restart()
    await command('dlq', 'replay', '--all')

    await eventually('all is delivered', async () => sink.documents.size === REQUESTS * RECORDS)
    expect(await letters()).toEqual([])
    await eventually('the buffer is empty', async () => (await value('sluice_buffer_records')) === 0)
  })

  it('and queues can be looked into and dropped without a collector', async () => {
    await refuseHalf()
    await sluice.stopProcess()

    const stats = JSON.parse(await command('buffer', 'stats', '--interval', '0s', '--json')) as {
      readonly queues: readonly { readonly records: number }[]
      readonly dead: readonly { readonly records: number }[]
    }
    const dropped = JSON.parse(await command('dlq', 'drop', '--all', '--yes', '--json')) as {
      records: number
    }

    expect(stats.queues.map(({ records }) => records)).toEqual([0])
    expect(stats.dead.map(({ records }) => records)).toEqual([(REQUESTS * RECORDS) / 2])
    expect(dropped.records).toBe((REQUESTS * RECORDS) / 2)
    await sluice.restart()
    await eventually('the metric says so', async () => (await value('sluice_dead_letter_records')) === 0)
  })
})

function configOf(kind: string, settings: string, http: number, elasticsearch: string): string {
  return `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${http}" } } }
connectors:
  ${kind}: ${settings}
exporters:
  elasticsearch: { endpoint: "${elasticsearch}" }
service:
  pipelines:
    logs/gateway: { receivers: [otlp], exporters: [${kind}] }
    logs/drain: { receivers: [${kind}], exporters: [elasticsearch] }
`
}
