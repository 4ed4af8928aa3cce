import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineEvents } from '../../src/logger/events.ts'
import type { StandardSchema } from '../../src/logger/standard-schema.ts'
import { testLogger } from '../support/test-sink.ts'

const events = defineEvents({
  'order.placed': z.object({ orderId: z.string(), total: z.number().default(0) }),
})

function schemaOf(
  validate: StandardSchema<{ a: number }>['~standard']['validate'],
): StandardSchema<{ a: number }> {
  return { '~standard': { version: 1, vendor: 'test', validate } }
}

describe('an event', () => {
  it('is a record with a name, fields and no body', () => {
    const { log, sink } = testLogger()

    log.child({ tenant: 'acme' }).event('order.placed', { orderId: '7' })

    expect(sink.last.record.eventName).toBe('order.placed')
    expect(sink.last.attributes).toEqual({ orderId: '7', tenant: 'acme' })
    expect([sink.last.body, sink.last.severity]).toEqual([null, 9])
  })

  it('may have a level and a message', () => {
    const { log, sink } = testLogger()

    log.event('payment.refused', { code: 51 }, { level: 'warn', message: 'refused' })
    log.event('cache.miss', {}, { level: 'debug' })

    expect(sink.arrived.map(({ body, severity }) => [body, severity])).toEqual([['refused', 13]])
  })

  it('has the fields that its schema makes', () => {
    const { log, sink } = testLogger({ events })

    log.event('order.placed', { orderId: '7' })

    expect(sink.last.attributes).toEqual({ orderId: '7', total: 0n })
  })

  it('that does not fit its schema is logged as it is, with the paths that do not', () => {
    const { log, sink } = testLogger({ events })

    log.event('order.placed', { orderId: 7, total: 'secret' } as never)

    expect(sink.last.attributes).toEqual({
      orderId: 7n,
      total: 'secret',
      'event.invalid': ['orderId', 'total'],
    })
  })

  it('is logged as it is, with a line, where its schema throws or answers later', () => {
    const throwing = defineEvents({
      a: schemaOf(() => {
        throw new Error()
      }),
      b: schemaOf(() => Promise.reject(new Error())),
    })
    const first = testLogger({ events: throwing })
    const second = testLogger({ events: throwing })

    first.log.event('a', { a: 1 })
    second.log.event('b', { a: 1 })

    expect([first.sink.last.attributes, second.sink.last.attributes]).toEqual([{ a: 1n }, { a: 1n }])
    expect([...first.lines, ...second.lines]).toEqual([
      'the schema of event a threw: the event was logged as it is',
      'the schema of event b answers later: it is not used',
    ])
  })

  it('has types', () => {
    const { log } = testLogger({ events, level: 'silent' })
    const typed = testLogger<{ 'user.left': { id: number }; ping: undefined }>({ level: 'silent' }).log

    typed.event('ping')
    typed.event('user.left', { id: 1 })
    // @ts-expect-error: no such event
    log.event('order.place', { orderId: '7' })
    // @ts-expect-error: the id is a text
    log.event('order.placed', { orderId: 7 })
    // @ts-expect-error: fields are missing
    typed.event('user.left')

    expect(log.level).toBe('silent')
  })
})

describe('emit', () => {
  it('logs what another library has recorded', () => {
    const { log, sink } = testLogger()

    log.emit({
      severity: 10,
      severityText: 'notice',
      body: 'text',
      fields: { a: 1 },
      error: new Error('x'),
      time: 1_790_000_000_123.5,
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      eventName: 'e',
    })

    const { record, attributes, severity } = sink.last
    expect([severity, record.severityText, record.eventName]).toEqual([10, 'notice', 'e'])
    expect(record.timeUnixNano).toBe(1_790_000_000_123_500_000n)
    expect(record.observedTimeUnixNano).not.toBe(record.timeUnixNano)
    expect(Buffer.from(record.traceId).toString('hex')).toBe('0af7651916cd43dd8448eb211c80319c')
    expect(attributes).toMatchObject({ a: 1n, 'exception.message': 'x' })
  })

  it('keeps to the levels, and names severities between them', () => {
    const { log, sink } = testLogger()

    log.emit({ severity: 8 })
    log.emit({ severity: 'debug' })
    log.emit({ severity: 25 })
    log.emit({ severity: 11, time: 5n })
    log.emit({ severity: 'error', time: Number.NaN })

    expect(sink.arrived.map(({ record }) => record.severityText)).toEqual(['INFO3', 'ERROR'])
    expect(sink.arrived[0].record.timeUnixNano).toBe(5n)
  })
})
