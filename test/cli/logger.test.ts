import type { Logger } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLogger, rateLimited } from '../../src/telemetry/logger.ts'

function capture(options: Partial<Parameters<typeof createLogger>[0]> = {}): {
  log: Logger
  lines: string[]
} {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  return { log: createLogger({ level: 'info', destination, ...options }), lines }
}

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-03-01T12:00:00Z') })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the log in JSON', () => {
  it('has the time, the level in a word, the fields and the message', () => {
    const { log, lines } = capture()

    log.child({ component: 'redis' }).warn({ attempt: 2 }, 'retrying')

    expect(lines).toEqual([
      '{"level":"warn","time":"2026-03-01T12:00:00.000Z","component":"redis","attempt":2,"msg":"retrying"}\n',
    ])
  })

  it('leaves out what is below its level', () => {
    const { log, lines } = capture({ level: 'warn' })

    log.info('hello')

    expect(lines).toEqual([])
  })

  it('shows of an error what it says itself, not what a client attached to it', () => {
    const { log, lines } = capture()
    const cause = Object.assign(new Error('socket closed'), { code: 'ECONNRESET' })
    const error = Object.assign(new TypeError('no answer', { cause }), {
      request: { authorization: 'hunter2' },
    })

    log.error({ err: error }, 'export ended')

    expect(JSON.parse(lines[0])).toMatchObject({
      err: {
        type: 'TypeError',
        message: 'no answer',
        cause: { code: 'ECONNRESET', message: 'socket closed' },
      },
    })
    expect(lines[0]).not.toContain('hunter2')
  })

  it('survives an error that is its own cause', () => {
    const { log, lines } = capture()
    const error = new Error('circle')
    error.cause = error

    log.error({ err: error }, 'odd')

    expect(lines).toHaveLength(1)
  })
})

describe('the log for the eye', () => {
  it('is one line an entry, whatever is in it', () => {
    const { log, lines } = capture({ encoding: 'console' })

    log.info({ path: '/var/log', detail: 'a\nb "c"', count: 3, list: ['x'] }, 'two\nlines')

    expect(lines).toEqual([
      '2026-03-01T12:00:00.000Z INFO  two lines path=/var/log detail="a\\nb \\"c\\"" count=3 list=["x"]\n',
    ])
  })
})

describe('a rate-limited log', () => {
  it('writes the first line of a key, then one an interval with the number left out', () => {
    const { log, lines } = capture()
    const limited = rateLimited(log, 10_000)
    const warn = () => limited.warn('full', { queue: 'a' }, 'buffer is full')

    for (let i = 0; i < 5; i++) warn()
    vi.advanceTimersByTime(9999)
    warn()
    vi.advanceTimersByTime(1)
    warn()
    vi.advanceTimersByTime(10_000)
    warn()

    expect(lines.map((line) => JSON.parse(line).suppressed)).toEqual([undefined, 5, undefined])
  })

  it('counts each key for itself', () => {
    const { log, lines } = capture()
    const limited = rateLimited(log, 10_000)

    limited.warn('full', {}, 'buffer is full')
    limited.warn('down', {}, 'server is down')
    limited.warn('full', {}, 'buffer is full')

    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['buffer is full', 'server is down'])
  })
})
