import { describe, expect, it } from 'vitest'
import { components } from '../../src/components.ts'
import { LogBatch } from '../../src/logs/batch.ts'
import {
  bodiesOf,
  consume,
  drain,
  GROUP,
  newFolder,
  type OpenBuffer,
  openBuffer,
  segmentsIn,
} from '../connectors/disk/harness.ts'
import { identities } from '../connectors/redis/harness.ts'
import { never } from '../support/component.ts'
import { keyFile } from '../support/keys.ts'
import { attributes, batchOf, documentsOf, text } from '../support/otlp.ts'
import { configFile, type Outcome, sluice } from './harness.ts'

function configOf(folder: string, { encryption = '', pipelines = '' } = {}): string {
  return configFile(`
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:0" } } }
connectors:
  disk: { directory: ${JSON.stringify(folder)}, min_free: 1MiB${encryption} }
exporters:
  debug:
service:
  pipelines:
    logs/gateway: { receivers: [otlp], exporters: [disk] }
    ${GROUP}: { receivers: [disk], exporters: [debug] }
${pipelines}`)
}

const ofService = (service: string, ...bodies: string[]): LogBatch =>
  batchOf(
    bodies.map((body) => ({ body: text(body) })),
    { attributes: attributes({ 'service.name': text(service) }) },
  )

/** Two letters: three records of checkout, one of billing. */
async function buryTwo(buffer: OpenBuffer): Promise<void> {
  const { connector } = buffer
  const checkout = ofService('checkout', 'a', 'b', 'c')
  await connector.bury({ batch: checkout, reason: 'mapping conflict: status', pipeline: GROUP }, never)
  await connector.bury({ batch: ofService('billing', 'd'), reason: 'too large', pipeline: GROUP }, never)
}

interface Listed {
  readonly id: string
  readonly reason: string
  readonly records: number
}

async function listed(file: string, ...args: string[]): Promise<Listed[]> {
  const { stdout, stderr } = await sluice(['dlq', 'ls', '-c', file, '--json', ...args], { components })
  expect(stderr).toBe('')
  return JSON.parse(stdout) as Listed[]
}

const run = (file: string, ...args: string[]): Promise<Outcome> =>
  sluice(['dlq', ...args, '-c', file], { components })

describe.each([
  ['while a process has the folder open', true],
  ['when no process runs', false],
])('sluice dlq %s', (_, isRunning) => {
  async function opened(
    settings = {},
  ): Promise<{ folder: string; file: string; reopen: () => Promise<OpenBuffer> }> {
    const folder = newFolder()
    const first = await openBuffer(folder, settings)
    await buryTwo(first)
    if (!isRunning) await first.stop()
    const encryption = 'encryption' in settings ? `, encryption: ${JSON.stringify(settings.encryption)}` : ''
    return {
      folder,
      file: configOf(folder, { encryption }),
      reopen: async () => (isRunning ? first : openBuffer(folder, settings)),
    }
  }

  it('lists what is there, for people and for machines', async () => {
    const { file, reopen } = await opened()

    const { code, stdout } = await run(file, 'ls')
    const letters = await listed(file)

    expect(code).toBe(0)
    expect(stdout).toMatch(/^ID +BURIED +PIPELINE +STREAM +RECORDS +SIZE +REASON\n/)
    expect(stdout.split('\n')[1]).toMatch(
      /^[0-9a-f]{12}  \S+Z  logs\/drain +- +3 +\d+ B  mapping conflict: status$/,
    )
    expect(letters).toMatchObject([
      { pipeline: GROUP, records: 3, reason: 'mapping conflict: status', stream: '' },
      { pipeline: GROUP, records: 1, reason: 'too large' },
    ])
    await (await reopen()).stop()
  })

  it('shows the records, and the original request on demand', async () => {
    const { file, reopen } = await opened()
    const [{ id }] = await listed(file)

    const { stdout } = await run(file, 'show', id.slice(0, 6))
    const otlp = await run(file, 'show', id, '--format', 'otlp')

    const lines = stdout.trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { letter: id, reason: 'mapping conflict: status', position: 0, record: { body: { text: 'a' } } },
      { position: 1, record: { body: { text: 'b' } } },
      {
        position: 2,
        record: { body: { text: 'c' }, resource: { attributes: { 'service.name': 'checkout' } } },
      },
    ])
    expect(bodiesOf(LogBatch.decode(Buffer.from(otlp.stdout, 'latin1')))).toEqual(['a', 'b', 'c'])
    await (await reopen()).stop()
  })

  it('puts letters back into the queue, with the ids and positions they had, and takes them out', async () => {
    const { file, reopen } = await opened()

    const outcome = await run(file, 'replay', '--where', 'reason=~^mapping', '--json')

    expect(JSON.parse(outcome.stdout)).toEqual({ letters: 1, records: 3, left: 0 })
    expect((await listed(file)).map(({ reason }) => reason)).toEqual(['too large'])
    const buffer = await reopen()
    expect(await buffer.context.value('sluice_dead_letter_records')).toBe(1)
    const original = ofService('checkout', 'a', 'b', 'c')
    await buffer.push(original)
    const consumer = consume(buffer)
    const [replayed, pushed] = await consumer.take(2)
    expect(bodiesOf(replayed.batch)).toEqual(['a', 'b', 'c'])
    expect(replayed.batch.letter).toBeUndefined()
    expect(identities(replayed.batch)).toEqual(identities(pushed.batch))
    await consumer.abort()
    await buffer.stop()
  })

  it('selects by id, attribute, time and number', async () => {
    const { file, reopen } = await opened()
    const reasons = async (...args: string[]) => (await listed(file, ...args)).map(({ reason }) => reason)
    const [first, second] = await listed(file)

    expect(await reasons(second.id)).toEqual(['too large'])
    expect(await reasons('--where', 'service.name=billing')).toEqual(['too large'])
    expect(await reasons('--where', 'service.name!=billing')).toEqual([first.reason])
    expect(await reasons('--where', 'service.name=~b', '--where', 'reason!~large')).toEqual([])
    expect(await reasons('--since', '1h')).toHaveLength(2)
    expect(await reasons('--until', '1h')).toHaveLength(0)
    expect(await reasons('--since', '2020-01-01T00:00:00Z', '--limit', '1')).toEqual([first.reason])
    await (await reopen()).stop()
  })

  it('drops letters for good only when told so', async () => {
    const { file, folder, reopen } = await opened()
    const [{ id }] = await listed(file)

    const untold = await run(file, 'drop', id)
    const declined = await sluice(['dlq', 'drop', id, '-c', file], { components, answer: false })
    const dropped = await run(file, 'drop', id, '--yes')

    expect(untold).toMatchObject({ code: 2, stdout: '' })
    expect(untold.stderr).toMatch(/^--yes: is needed where there is no terminal to ask at/)
    expect(declined).toMatchObject({ code: 0, stderr: 'nothing was deleted\n' })
    expect(dropped).toMatchObject({ code: 0, stdout: 'deleted 1 dead letters with 3 records\n' })
    expect(await listed(file)).toMatchObject([{ reason: 'too large' }])
    await run(file, 'drop', '--all', '--yes')
    expect(await listed(file)).toEqual([])
    expect(await segmentsIn(`${folder}/dead`)).toEqual([])
    const buffer = await reopen()
    await buryTwo(buffer)
    expect(await listed(file)).toHaveLength(2)
    await buffer.stop()
    await using again = await openBuffer(folder)
    expect(await again.context.value('sluice_dead_letter_records')).toBe(4)
  })

  it('reads and replays sealed letters with the keys of the config', async () => {
    const { file, reopen } = await opened({ encryption: { key_file: keyFile() } })

    expect(await listed(file)).toMatchObject([{ records: 3 }, { records: 1 }])
    expect((await run(file, 'replay', '--all')).stdout).toBe('replayed 2 dead letters with 4 records\n')
    const buffer = await reopen()
    expect(await drain(buffer)).toEqual(['a', 'b', 'c', 'd'])
    await buffer.stop()
  })

  it('leaves letters alone that it has no key for', async () => {
    const { folder, reopen } = await opened({ encryption: { key_file: keyFile() } })
    const file = configOf(folder)

    const shown = await run(file, 'show')
    const replayed = await run(file, 'replay', '--all', '--json')

    expect(shown.stderr).toContain('sealed with the key "default"')
    expect(JSON.parse(replayed.stdout)).toEqual({ letters: 0, records: 0, left: 2 })
    expect(await listed(file)).toHaveLength(2)
    await (await reopen()).stop()
  })

  it('says what is wrong with what it was asked', async () => {
    const { file, reopen } = await opened()
    const wrong = async (...args: string[]) => {
      const { code, stderr } = await run(file, ...args)
      return [code, stderr]
    }

    expect(await wrong('replay')).toEqual([2, 'dlq: name letters, give a filter, or say --all\n'])
    expect(await wrong('drop', 'ab', '--all')).toEqual([2, '--all: does not go with ids and filters\n'])
    expect(await wrong('show', 'zz')).toEqual([1, 'there is no dead letter zz\n'])
    expect(await wrong('ls', '--where', 'reason')).toEqual([
      2,
      '--where: "reason": expected name=value, name!=value, name=~pattern or name!~pattern\n',
    ])
    expect(await wrong('ls', '--where', 'reason=~(')).toEqual([
      2,
      expect.stringContaining('--where: Invalid'),
    ])
    expect(await wrong('ls', '--since', 'yesterday')).toEqual([
      2,
      '--since: "yesterday": expected a time such as 2026-08-01T12:00:00Z, or how long ago, such as 2h\n',
    ])
    expect(await wrong('ls', '--limit', '0')).toEqual([
      2,
      '--limit: "0": expected a whole number from 1 on\n',
    ])
    expect(await wrong('replay', '--all', '--group', 'logs/drian')).toEqual([
      2,
      '--group: no pipeline "logs/drian" reads from disk, did you mean "logs/drain"?\n',
    ])
    expect(await wrong('ls', '--connector', 'dsk')).toEqual([
      2,
      '--connector: there is no buffer "dsk", did you mean "disk"?\n',
    ])
    await (await reopen()).stop()
  })
})

describe('a replay', () => {
  it('keeps what had been edited and dropped before the letter was buried', async () => {
    const folder = newFolder()
    const buffer = await openBuffer(folder)
    const batch = ofService('checkout', 'a', 'card 4111', 'c')
    batch.identify(Buffer.alloc(32))
    batch.forEach((record) => {
      if (record.hash === 0) throw new Error('never')
      record.setTraceContext({ flags: 1 })
    })
    await buffer.connector.bury({ batch: batch.select([0, 2]), reason: 'no', pipeline: GROUP }, never)

    await run(configOf(folder), 'replay', '--all')

    const { batch: replayed } = await consume(buffer).next()
    expect(documentsOf(replayed)).toMatchObject([{ body: { text: 'a' } }, { body: { text: 'c' } }])
    expect(identities(replayed).map((identity) => identity.split('/')[1])).toEqual(['0', '2'])
    await buffer.stop()
  })

  it('goes to the pipeline that had refused it, and to no other that reads from the folder', async () => {
    const other = 'logs/archive'
    const folder = newFolder()
    const buffer = await openBuffer(folder, {}, [GROUP, other])
    await buryTwo(buffer)
    const file = configOf(folder, { pipelines: `    ${other}: { receivers: [disk], exporters: [debug] }\n` })

    await run(file, 'replay', '--where', 'reason=too large')
    await run(file, 'replay', '--all', '--group', other)
    await buffer.pushNamed('for both')

    expect(await drain(buffer)).toEqual(['d', 'for both'])
    expect(await drain(buffer, other)).toEqual(['a', 'b', 'c', 'for both'])
    expect(await buffer.context.value('sluice_buffer_acked_log_records_total', { group: other })).toBe(4)
    await buffer.stop()
  })

  it('moves each letter once, however often it is asked, and not what is buried meanwhile', async () => {
    const folder = newFolder()
    const buffer = await openBuffer(folder)
    await buryTwo(buffer)
    const file = configOf(folder)

    const outcomes = await Promise.all([1, 2, 3].map(() => run(file, 'replay', '--all', '--json')))

    const letters = outcomes.map(({ stdout }) => (JSON.parse(stdout) as { letters: number }).letters)
    expect(letters.reduce((sum, count) => sum + count)).toBe(2)
    expect(await drain(buffer)).toHaveLength(4)
    await buffer.stop()
  })
})
