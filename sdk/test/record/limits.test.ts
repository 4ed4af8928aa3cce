import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LimitOptions } from '../../src/options/options.ts'
import { testLogger } from '../support/test-sink.ts'

const MARKER = '…[truncated]'

function limited(limits: LimitOptions) {
  return testLogger({ limits })
}

describe('limits', () => {
  it('cut a text and mark it, within the limit', () => {
    const { log, sink } = limited({ valueLength: 20, bodyLength: 30 })

    log.info({ text: 'x'.repeat(21), fits: 'y'.repeat(20), nested: ['z'.repeat(99)] }, 'm'.repeat(31))

    expect(sink.last.attributes).toEqual({
      text: `${'x'.repeat(8)}${MARKER}`,
      fits: 'y'.repeat(20),
      nested: [`${'z'.repeat(8)}${MARKER}`],
    })
    expect(sink.last.body).toBe(`${'m'.repeat(18)}${MARKER}`)
  })

  it('cut without a marker where there is no room for one', () => {
    const { log, sink } = limited({ valueLength: 3 })

    log.info({ text: 'abcdef', bytes: Buffer.from('abcdef') })

    expect(sink.last.attributes).toEqual({ text: 'abc', bytes: new Uint8Array(Buffer.from('abc')) })
  })

  it('do not tear a pair of surrogates apart', () => {
    const { log, sink } = limited({ valueLength: 4 })

    log.info({ text: 'abc😀' })

    expect(sink.last.attributes).toEqual({ text: 'abc' })
  })

  it('count the attributes that are left out', () => {
    const { log, sink } = limited({ attributes: 3 })
    const child = log.child({ b1: 1, b2: 2 })

    child.info({ a: 1, b: 2, c: 3, d: 4 })
    child.info({ a: 1 })
    child.info({ a: 1, b: 2 })

    expect(sink.arrived.map(({ attributes }) => Object.keys(attributes))).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b1', 'b2'],
      ['a', 'b', 'b1'],
    ])
    expect(sink.arrived.map(({ record }) => record.droppedAttributesCount)).toEqual([3, 0, 1])
  })

  it('cut a key', () => {
    const { log, sink } = limited({})

    log.info({ ['k'.repeat(1000)]: 1 })

    expect(Object.keys(sink.last.attributes)).toEqual([`${'k'.repeat(244)}${MARKER}`])
  })

  it('keep every record under its size, whatever is in it', () => {
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 6 },
        fc.string({ unit: 'binary', maxLength: 3000 }),
        fc.integer({ min: 0, max: 20_000 }).map((length) => '世'.repeat(length)),
        fc.uint8Array({ maxLength: 5000 }),
        fc.integer(),
        fc.array(tie('any'), { maxLength: 30 }),
        fc.dictionary(fc.string({ maxLength: 300 }), tie('any'), { maxKeys: 30 }),
      ),
    })).any
    fc.assert(
      fc.property(fc.dictionary(fc.string(), value, { maxKeys: 50 }), value, value, (fields, body, bound) => {
        const { log, sink } = limited({ recordBytes: 4096, depth: 5 })

        log.child({ bound }).info(fields, body as never)

        expect(sink.last.size).toBeLessThanOrEqual(4096)
      }),
    )
  })

  it('leave a large body and its attributes what they need', () => {
    const { log, sink } = limited({ recordBytes: 8192, bodyLength: 100_000 })

    log.info({ orderId: 7 }, '世'.repeat(100_000))

    expect(sink.last.attributes).toEqual({ orderId: 7n })
    expect(sink.last.body).toMatch(/^世{100,}…\[truncated\]$/)
  })

  it('are those of the environment where the code has none', () => {
    const { log, sink } = testLogger(
      {},
      {
        OTEL_ATTRIBUTE_COUNT_LIMIT: '1',
        OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT: '2',
        OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '2',
      },
    )

    log.info({ a: 'long', b: 'text', c: 1 })

    expect(sink.last.attributes).toEqual({ a: 'lo', b: 'te' })
    expect(sink.last.record.droppedAttributesCount).toBe(1)
  })
})
