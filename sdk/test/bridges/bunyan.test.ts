import { hostname } from 'node:os'
import { describe, expect, it } from 'vitest'
import { bunyanStream } from '../../src/bridges/bunyan.ts'
import { testLogger } from '../support/test-sink.ts'
import { TRACEPARENT, traceOf } from '../support/traces.ts'

/** A record as bunyan hands it to a raw stream. */
const record = (more: object): object => ({
  name: 'shop',
  hostname: hostname(),
  pid: process.pid,
  level: 30,
  msg: 'x',
  time: new Date(1_790_000_000_123),
  v: 0,
  ...more,
})

describe('the stream for bunyan', () => {
  const { log, sink } = testLogger({ level: 'trace' })
  const { stream } = bunyanStream(log)

  it('logs message, fields, name and time', () => {
    stream.write(record({ orderId: 7 }))

    expect([sink.last.severity, sink.last.body]).toEqual([9, 'x'])
    expect(sink.last.attributes).toEqual({ orderId: 7n, 'logger.name': 'shop' })
    expect(sink.last.record.timeUnixNano).toBe(1_790_000_000_123_000_000n)
  })

  it.each([
    [10, 1],
    [20, 5],
    [30, 9],
    [35, 11],
    [40, 13],
    [50, 17],
    [60, 21],
    [1, 1],
    [1000, 24],
    [Number.NaN, 9],
  ])('maps level %d', (level, severity) => {
    stream.write(record({ level }))

    expect(sink.last.severity).toBe(severity)
  })

  it('makes exception.* of an error, serialized or not', () => {
    const error = new TypeError('boom')
    const { name, message, stack } = error
    for (const err of [error, { name, message, stack, code: 'E1', signal: undefined }]) {
      stream.write(record({ err, msg: '' }))

      expect(sink.last.body).toBe('boom')
      expect(sink.last.attributes).toMatchObject({
        'exception.type': 'TypeError',
        'exception.message': 'boom',
        'exception.stacktrace': stack,
      })
      expect(sink.last.attributes).not.toHaveProperty('err')
    }
  })

  it('keeps what is no error, and what is of another process', () => {
    stream.write(record({ err: 'E1', pid: 1, hostname: 'elsewhere' }))

    expect(sink.last.attributes).toEqual({ err: 'E1', pid: 1n, hostname: 'elsewhere', 'logger.name': 'shop' })
  })

  it('tells the place of a call, and its trace', () => {
    const [, trace_id, span_id] = TRACEPARENT.split('-')
    stream.write(record({ src: { file: 'shop.js', line: 7, func: 'place' }, trace_id, span_id }))

    expect(sink.last.attributes).toMatchObject({
      'code.file.path': 'shop.js',
      'code.line.number': 7n,
      'code.function.name': 'place',
    })
    expect(traceOf(sink.last.record)).toBe(TRACEPARENT)
  })
})
