import { describe, expect, it } from 'vitest'
import { statsWithRates } from '../../src/cli/buffer-stats.ts'
import { components } from '../../src/components.ts'
import { LogBatch } from '../../src/logs/batch.ts'
import {
  bodiesOf,
  consume,
  drain,
  GROUP,
  named,
  newFolder,
  type OpenBuffer,
  openBuffer,
} from '../connectors/disk/harness.ts'
import { configFile, type Outcome, sluice } from './harness.ts'

const OTHER = 'logs/archive'

function configOf(folder: string): string {
  return configFile(`
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:0" } } }
connectors:
  disk: { directory: ${JSON.stringify(folder)}, min_free: 1MiB }
exporters:
  debug:
service:
  pipelines:
    logs/gateway: { receivers: [otlp], exporters: [disk] }
    ${GROUP}: { receivers: [disk], exporters: [debug] }
    ${OTHER}: { receivers: [disk], exporters: [debug] }
`)
}

const run = (file: string, ...args: string[]): Promise<Outcome> =>
  sluice(['buffer', ...args, '-c', file], { components })

interface Stats {
  readonly queues: readonly {
    readonly group: string
    readonly records: number
    readonly pushed: number
    readonly left: number
    readonly oldestAgeMs?: number
  }[]
}

const statsIn = ({ stdout }: Outcome): Stats => JSON.parse(stdout) as Stats

describe.each([
  ['while a process has the folder open', true],
  ['when no process runs', false],
])('sluice buffer %s', (_, isRunning) => {
  async function opened(
    ...names: string[]
  ): Promise<{ folder: string; file: string; reopen: () => Promise<OpenBuffer> }> {
    const folder = newFolder()
    const first = await openBuffer(folder, {}, [GROUP, OTHER])
    await first.pushNamed(...names)
    const consumer = consume(first, OTHER)
    await (await consumer.next()).ack()
    await consumer.abort()
    if (!isRunning) await first.stop()
    return {
      folder,
      file: configOf(folder),
      reopen: async () => (isRunning ? first : openBuffer(folder, {}, [GROUP, OTHER])),
    }
  }

  it('shows what waits for whom, for people and for machines', async () => {
    const { file, reopen } = await opened('a', 'b', 'c')

    const shown = await run(file, 'stats', '--interval', '0s')
    const { queues } = statsIn(await run(file, 'stats', '--interval', '0s', '--json'))

    expect(shown.stdout).toMatch(/^PIPELINE +STREAM +RECORDS +ELEMENTS +SIZE +IN FLIGHT +OLDEST/)
    expect(shown.stdout).toMatch(/^logs\/drain +- +3 +3 +\d+ B/m)
    expect(shown.stdout).toMatch(/^dead letters: 0 with 0 records, 0 B$/m)
    expect(shown.stdout).toMatch(/^room: .* of 10\.0 GiB in use$/m)
    expect(queues.map(({ group, records }) => [group, records])).toEqual([
      [GROUP, 3],
      [OTHER, 2],
    ])
    expect(queues[0].oldestAgeMs).toBeLessThan(60_000)
    await (await reopen()).stop()
  })

  it('looks into a queue without taking anything out', async () => {
    const { file, reopen } = await opened('a', 'b', 'c')

    const { stdout } = await run(file, 'peek', '--group', OTHER, '--limit', '5')
    const otlp = await run(file, 'peek', '--group', GROUP, '--limit', '2', '--format', 'otlp')

    const lines = stdout.trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { position: 0, record: { body: { text: 'b' } } },
      { position: 0, record: { body: { text: 'c' } } },
    ])
    expect(bodiesOf(LogBatch.decode(Buffer.from(otlp.stdout, 'latin1')))).toEqual(['a', 'b'])
    const buffer = await reopen()
    expect(await drain(buffer)).toEqual(['a', 'b', 'c'])
    await buffer.stop()
  })

  it('deletes what waits for one pipeline, for good, and nothing of another', async () => {
    const { folder, file, reopen } = await opened('a', 'b', 'c')

    const untold = await run(file, 'purge', '--group', GROUP)
    const purged = await run(file, 'purge', '--group', GROUP, '--yes')

    expect(untold.code).toBe(2)
    expect(purged.stdout).toMatch(/^deleted 3 elements with 3 records, \d+ B\n$/)
    const buffer = await reopen()
    await buffer.pushNamed('d')
    expect(await drain(buffer)).toEqual(['d'])
    expect(await drain(buffer, OTHER)).toEqual(['b', 'c', 'd'])
    await buffer.stop()
    await using again = await openBuffer(folder, {}, [GROUP, OTHER])
    expect(await again.context.value('sluice_buffer_records')).toBe(0)
  })

  it('asks which queue is meant, and says when there is none of the name', async () => {
    const { file, reopen } = await opened('a')

    expect(await run(file, 'peek')).toMatchObject({
      code: 2,
      stderr: `--group: is needed: the pipelines that read from disk are ${GROUP}, ${OTHER}\n`,
    })
    expect(await run(file, 'peek', '--group', 'logs/drian')).toMatchObject({
      code: 2,
      stderr:
        '--group: "logs/drian" is none of the pipelines that read from disk, did you mean "logs/drain"?\n',
    })
    expect(await run(file, 'purge', '--yes')).toMatchObject({ code: 2 })
    await (await reopen()).stop()
  })
})

describe('sluice buffer', () => {
  it('counts what came and what left, which rates are made of', async () => {
    const folder = newFolder()
    const buffer = await openBuffer(folder, {}, [GROUP, OTHER])
    await buffer.pushNamed('a', 'b', 'c', 'd')
    const look = async (): Promise<Stats> =>
      statsIn(await run(configOf(folder), 'stats', '--interval', '0s', '--json'))

    const before = await look()
    const consumer = consume(buffer, GROUP)
    for (const lease of await consumer.take(3)) await lease.ack()
    await buffer.pushNamed('e')
    const after = await look()

    const change = (of: 'pushed' | 'left') =>
      after.queues.map((queue, index) => queue[of] - before.queues[index][of])
    expect([change('pushed'), change('left')]).toEqual([
      [1, 1],
      [3, 0],
    ])
    await consumer.abort()
    await buffer.stop()
  })

  it('purges around what a drain holds, and goes on with what comes after', async () => {
    const folder = newFolder()
    const buffer = await openBuffer(folder, {}, [GROUP, OTHER])
    await buffer.pushNamed('a', 'b', 'c')
    const consumer = consume(buffer)
    const held = await consumer.next()

    const { stdout } = await run(configOf(folder), 'purge', '--group', GROUP, '--yes')
    await buffer.pushNamed('d')
    const next = await consumer.next()

    expect(stdout).toMatch(/^deleted 2 elements with 2 records/)
    expect([held, next].map(({ batch }) => bodiesOf(batch)[0])).toEqual(['a', 'd'])
    await held.ack()
    await next.ack()
    expect(await buffer.context.value('sluice_buffer_records', { group: GROUP })).toBe(0)
    await consumer.abort()
    await buffer.stop()
  })

  it('reaches a process through a folder whose path is too long for a socket', async () => {
    const folder = `${newFolder()}/${'deep/'.repeat(30)}buffer`
    await using buffer = await openBuffer(folder, {}, [GROUP, OTHER])
    await buffer.push(named('a'))

    expect(statsIn(await run(configOf(folder), 'stats', '--interval', '0s', '--json')).queues).toHaveLength(2)
  })

  it('looks into an overflow by its name, and takes it for no buffer of its own otherwise', async () => {
    const folder = newFolder()
    await using spill = await openBuffer(folder, {}, ['overflow/redis'])
    await spill.pushNamed('a', 'b')
    const file = configFile(`
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:0" } } }
connectors:
  redis: { url: "redis://127.0.0.1:1", overflow: disk/spill }
  disk/spill: { directory: ${JSON.stringify(folder)}, min_free: 1MiB }
exporters: { debug: }
service:
  pipelines:
    logs/gateway: { receivers: [otlp], exporters: [redis] }
    logs/drain: { receivers: [redis], exporters: [debug] }
`)

    const spilled = await run(file, 'stats', '--connector', 'disk/spill', '--interval', '0s', '--json')
    const unnamed = await run(file, 'stats')

    expect(statsIn(spilled).queues).toMatchObject([{ group: 'overflow/redis', records: 2 }])
    expect([unnamed.code, unnamed.stderr]).toEqual([1, expect.stringContaining('redis://127.0.0.1:1')])
  })

  it('says that there is no folder, and makes none', async () => {
    const { code, stderr } = await run(configOf('/nowhere/buffer'), 'stats')

    expect([code, stderr]).toEqual([1, '/nowhere/buffer holds no buffer: there is no such folder\n'])
  })

  it('says that a config has no buffer, or several', async () => {
    const file = (connectors: string, used: string, more = '') =>
      configFile(`
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:0" } } }
${connectors}
exporters: { debug: }
service:
  pipelines:
    logs: { receivers: [otlp], exporters: [${used}] }${more}
`)
    const none = await run(file('', 'debug'), 'stats')
    const two = `connectors: { disk/a: { directory: /nowhere/a }, disk/b: { directory: /nowhere/b } }`
    const drains = ['a', 'b']
      .map((id) => `\n    logs/${id}: { receivers: [disk/${id}], exporters: [debug] }`)
      .join('')
    const several = await run(file(two, 'disk/a, disk/b', drains), 'stats')

    expect([none.code, none.stderr]).toEqual([2, '--connector: the config has no buffer\n'])
    expect(several.stderr).toContain('--connector: say which buffer is meant: disk/a, disk/b')
  })
})

describe('rates', () => {
  const queue = { stream: '', group: GROUP, elements: 1, bytes: 100, inFlight: 0, oldestMs: 1_000 }
  const room = { used: 1_000, limit: 5_000 }
  const before = {
    atMs: 10_000,
    queues: [{ ...queue, records: 500, pushed: 600, left: 100 }],
    dead: [],
    room,
  }

  it('tell when a queue will be empty, and a buffer full', () => {
    const after = {
      atMs: 12_000,
      queues: [{ ...queue, records: 400, pushed: 700, left: 300 }],
      dead: [],
      room: { used: 3_000, limit: 5_000 },
    }

    expect(statsWithRates(before, after)).toMatchObject({
      queues: [{ inPerSecond: 50, outPerSecond: 100, emptyInMs: 8_000, oldestAgeMs: 11_000 }],
      room: { fullInMs: 2_000 },
    })
  })

  it('are unknown after one look, and make no promise where nothing moves', () => {
    expect(statsWithRates(before, before).queues).toMatchObject([
      { inPerSecond: undefined, emptyInMs: undefined },
    ])
    const still = statsWithRates(before, { ...before, atMs: 12_000 })
    expect(still).toMatchObject({
      queues: [{ inPerSecond: 0, emptyInMs: undefined }],
      room: { fullInMs: undefined },
    })
  })
})
