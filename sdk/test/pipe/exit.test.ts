import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type TemporaryFolder, temporaryFolder } from '../../../test/servers/at-exit.ts'
import type { AppOptions } from './fixtures/app.ts'
import { startApp } from './kit/app.ts'
import { type Collector, startHttpCollector } from './kit/collector.ts'
import { destination, spill, startPipe } from './kit/options.ts'
import { range } from './kit/records.ts'

const NEVER = 2 ** 30

describe('when the process ends', () => {
  let folder: TemporaryFolder
  let collector: Collector

  beforeEach(async () => {
    folder = await temporaryFolder('exit')
    collector = await startHttpCollector()
  })

  afterEach(async () => {
    await collector[Symbol.asyncDispose]()
    await folder.remove()
  })

  const start = (options: Omit<AppOptions, 'pipe' | 'records'>, pipe: Partial<AppOptions['pipe']> = {}) =>
    startApp({
      records: 100,
      pipe: {
        destination: destination(collector.url),
        batch: { maxRecords: 40, maxBytes: 2 ** 20, delayMillis: NEVER },
        flushTimeoutMillis: 5000,
        ...pipe,
      },
      ...options,
    })
  const withSpill = () => ({ spill: { ...spill(folder.path), windowMillis: NEVER } })

  const sorted = (): number[] => collector.seqs.toSorted((a, b) => a - b)

  /** Has another process send what is on disk. */
  const replay = async (records: number): Promise<void> => {
    collector.answer({})
    await using pipe = startPipe({ destination: destination(collector.url), spill: spill(folder.path) })
    await collector.taken(records)
    expect(pipe.counters.sent).toBeGreaterThan(0)
  }

  it('by itself, all is sent before', async () => {
    const app = start({})

    expect(await app.ended).toEqual({ code: 0, signal: null })
    expect(sorted()).toEqual(range(0, 100))
    expect(app.counters).toMatchObject({ logged: 100, sent: 100, lost: 0 })
    expect(app.errors).toBe('')
  })

  it('by itself, nothing keeps it but what is to be sent', async () => {
    collector.answer({ http: 503, retryMs: 60_000 })
    const app = start({}, { flushTimeoutMillis: 300, ...withSpill() })

    expect(await app.ended).toEqual({ code: 0, signal: null })
    expect(app.counters).toMatchObject({ accepted: 100, sent: 0, spilled: 100, lost: 0 })
    await replay(100)
    expect(sorted()).toEqual(range(0, 100))
  })

  it('by process.exit, all is on disk', async () => {
    const app = start({ end: 'exit' }, withSpill())

    expect(await app.ended).toEqual({ code: 3, signal: null })
    expect(app.counters).toMatchObject({ logged: 100, spilled: 100, lost: 0 })
    await replay(100)
    expect(sorted()).toEqual(range(0, 100))
  })

  it('by process.exit without a disk, it says what is lost', async () => {
    const app = start({ end: 'exit' })

    expect(await app.ended).toEqual({ code: 3, signal: null })
    expect(app.counters).toMatchObject({ logged: 100, sent: 0, lost: 100, dropped: { shutdown: 100 } })
    expect(app.errors).toBe('exit: 100 log records were lost (100 shutdown)\n')
  })

  it.each(['throw', 'reject'] as const)(
    'since nobody caught what it did (%s), that is logged too',
    async (end) => {
      const app = start({ end }, withSpill())

      expect(await app.ended).toEqual({ code: 1, signal: null })
      expect(app.errors).toMatch(/Error: (thrown|rejected) by the application\n\s+at /)
      expect(app.counters).toMatchObject({ logged: 101, spilled: 101, lost: 0 })
      await replay(101)
      expect(sorted()).toEqual(range(0, 101))
    },
  )

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'by %s, all is sent, and the signal does what it does',
    async (signal) => {
      const app = start({ end: 'wait' })
      await app.logged
      app.kill(signal)

      expect(await app.ended).toEqual({ code: null, signal })
      expect(sorted()).toEqual(range(0, 100))
    },
  )

  it('by SIGTERM while the collector is away, all is on disk', async () => {
    collector.answer({ silent: true })
    const app = start({ end: 'wait' }, { flushTimeoutMillis: 300, ...withSpill() })
    await app.logged
    app.kill('SIGTERM')

    expect(await app.ended).toEqual({ code: null, signal: 'SIGTERM' })
    await replay(100)
    expect(sorted()).toEqual(range(0, 100))
  })

  it('by a second signal, it does not wait', async () => {
    collector.answer({ silent: true })
    const app = start({ end: 'wait' }, { flushTimeoutMillis: NEVER })
    await app.logged
    app.kill('SIGTERM')
    await collector.received(3)
    app.kill('SIGINT')

    expect(await app.ended).toEqual({ code: null, signal: 'SIGINT' })
    expect(app.errors).toContain('100 log records were lost (100 shutdown)')
  })

  it('by SIGTERM that the application listens to, it ends when the application says so', async () => {
    const app = start({ end: 'wait', listener: 'exit later' })
    await app.logged
    app.kill('SIGTERM')

    expect(await app.ended).toEqual({ code: 7, signal: null })
    expect(sorted()).toEqual(range(0, 100))
    expect(app.counters).toMatchObject({ sent: 100, lost: 0 })
  })

  it('by SIGTERM, the package signal-exit and we do not wait for each other', async () => {
    const app = start({ end: 'wait', listener: 'signal-exit' })
    await app.logged
    app.kill('SIGTERM')

    expect(await app.ended).toEqual({ code: null, signal: 'SIGTERM' })
    expect(sorted()).toEqual(range(0, 100))
  })
})
