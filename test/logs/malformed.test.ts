import type { DescField, DescMessage } from '@bufbuild/protobuf'
import { ScalarType } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LogBatch } from '../../src/logs/batch.ts'
import { MAX_DEPTH, MalformedError } from '../../src/logs/wire.ts'
import { WireWriter } from '../../src/logs/wire-writer.ts'
import { decodeRequest, RequestSchema, recordsOf } from '../oracle/oracle.ts'
import { runs, type Sample, sample } from '../support/arbitraries.ts'
import { decoded, encoded, replaceA, scanForA } from './edits.ts'

const VARINT = 0
const FIXED64 = 1
const LEN = 2
const FIXED32 = 5

/** Does what anybody may do with a batch; returns the bytes it becomes. */
function useAll(batch: LogBatch): Buffer {
  batch.forEach((record) => {
    record.attribute('nobody has this')
    if (record.traceIdState === 'valid') Math.max(record.traceRandomHigh, record.traceRandomLow)
  })
  batch.fork().rewriteTexts(scanForA, replaceA, 'failed')
  batch.fork().forEach((record) => record.setTraceContext({ flags: 1 }))
  batch.encode(100)
  return encoded(batch)
}

/** What `read` returns, or undefined where it refuses the bytes as malformed. */
function accepted<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof MalformedError) return undefined
    throw error
  }
}

const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 })

/** Bytes of a request with some changed, and perhaps cut off. */
const damaged: fc.Arbitrary<Buffer> = fc
  .tuple(sample, flips, fc.option(fc.nat(), { nil: undefined, freq: 2 }))
  .map(([{ bytes }, flips, cut]) => damage(bytes, flips, cut))

function damage(
  bytes: Sample['bytes'],
  flips: readonly (readonly [number, number])[],
  cut: number | undefined,
): Buffer {
  const copy = Buffer.from(bytes)
  if (copy.length > 0) for (const [at, bits] of flips) copy[at % copy.length] ^= bits
  return cut === undefined ? copy : copy.subarray(0, cut % (copy.length + 1))
}

/** Whatever `decode` accepts must be good for everybody behind it, and mean the same to them. */
function expectSound(bytes: Buffer): void {
  const batch = accepted(() => decoded(bytes))
  if (batch === undefined) return
  const records = recordsOf(decodeRequest(useAll(batch)))
  expect(records.length).toBe(batch.size)
  // Where a message comes in pieces, what a later one replaces is thrown away unread.
  const usual = batch.data.bytes === bytes
  if (usual) expect(records).toEqual(recordsOf(decodeRequest(bytes)))
}

describe('bytes that were damaged', () => {
  it('are refused as malformed, or read as the oracle reads them', () => {
    fc.assert(fc.property(damaged, expectSound), runs(500))
  })

  it('are refused wherever a request is cut off, unless that leaves a request', () => {
    fc.assert(
      fc.property(sample, fc.nat(), ({ bytes }, cut) =>
        expectSound(bytes.subarray(0, cut % (bytes.length + 1))),
      ),
      runs(100),
    )
  })

  it('may be anything at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60, size: 'max' }), (bytes) => expectSound(Buffer.from(bytes))),
      runs(2000),
    )
  })

  it('may come out of a buffer', () => {
    fc.assert(
      fc.property(sample, flips, fc.nat(), ({ bytes }, flips, cut) => {
        const element = damage(encoded(decoded(bytes)), flips, cut % 2 === 0 ? cut : undefined)

        accepted(() => {
          const batch = LogBatch.open(element)
          batch.identify(Buffer.alloc(32))
          LogBatch.concat([batch, batch])
          useAll(batch)
        })
      }),
      runs(500),
    )
  })
})

function varint(value: number): Buffer {
  const writer = new WireWriter(16)
  writer.varint(value)
  return writer.copyOut()
}

const tag = (number: number, wireType: number): Buffer => varint(number * 8 + wireType)
const len = (number: number, content: Buffer): Buffer =>
  Buffer.concat([tag(number, LEN), varint(content.length), content])

/** A message somewhere in a request: what it is, the way to it, and the request in which it has some content. */
interface Place {
  readonly schema: DescMessage
  readonly path: string
  readonly wrap: (content: Buffer) => Buffer
}

function placesIn(place: Place, above: readonly DescMessage[]): Place[] {
  if (above.includes(place.schema)) return []
  return [
    place,
    ...place.schema.fields.flatMap((field) => {
      if (field.message === undefined) return []
      const wrap = (content: Buffer): Buffer => place.wrap(len(field.number, content))
      return placesIn({ schema: field.message, path: `${place.path}.${field.name}`, wrap }, [
        ...above,
        place.schema,
      ])
    }),
  ]
}

const PLACES = placesIn({ schema: RequestSchema, path: 'request', wrap: (content) => content }, [])

function wireTypeOf(field: DescField): number {
  if (field.fieldKind === 'message' || field.fieldKind === 'list') return LEN
  if (field.fieldKind === 'enum') return VARINT
  switch (field.scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return LEN
    case ScalarType.FIXED64:
    case ScalarType.DOUBLE:
      return FIXED64
    case ScalarType.FIXED32:
      return FIXED32
    default:
      return VARINT
  }
}

describe('every field in every message', () => {
  const fields = PLACES.flatMap((place) => place.schema.fields.map((field) => ({ ...place, field })))

  it.each(fields.map(({ path, field, wrap }) => [`${path}.${field.name}`, field, wrap] as const))(
    '%s takes its own wire type and no other',
    (_, field, wrap) => {
      const values = [
        [VARINT, Buffer.of(1)],
        [FIXED64, Buffer.alloc(8)],
        [LEN, Buffer.of(0)],
        [FIXED32, Buffer.alloc(4)],
        [3, tag(field.number, 4)],
        [4, Buffer.alloc(0)],
        [6, Buffer.alloc(0)],
        [7, Buffer.alloc(0)],
      ] as const

      for (const [wireType, value] of values) {
        const bytes = wrap(Buffer.concat([tag(field.number, wireType), value]))
        if (wireType === wireTypeOf(field)) expect(() => LogBatch.decode(bytes)).not.toThrow()
        else expect(() => LogBatch.decode(bytes), `wire type ${wireType}`).toThrow(MalformedError)
      }
    },
  )

  const texts = fields.filter(
    ({ field }) =>
      field.scalar === ScalarType.STRING || (field.fieldKind === 'list' && field.message === undefined),
  )

  it.each(texts.map(({ path, field, wrap }) => [`${path}.${field.name}`, field, wrap] as const))(
    '%s takes UTF-8 and nothing else',
    (_, field, wrap) => {
      const broken = ['ff', 'c3', 'c080', 'e28c', 'eda080', 'f4908080', '80', 'f0808080'].map((hex) =>
        Buffer.from(hex, 'hex'),
      )
      const around = [Buffer.alloc(0), Buffer.from('plain'), Buffer.alloc(60, 'x')]

      for (const before of around) {
        expect(() =>
          LogBatch.decode(wrap(len(field.number, Buffer.concat([before, Buffer.from('é漢😀')])))),
        ).not.toThrow()
        for (const bad of broken) {
          const text = len(field.number, Buffer.concat([before, bad]))
          const last = len(field.number, Buffer.from('good'))
          expect(() => LogBatch.decode(wrap(text)), bad.toString('hex')).toThrow(
            /^\w.* is not valid UTF-8, at byte \d+$/,
          )
          // Nor does it get through where a later field replaces it.
          const batch = accepted(() => decoded(wrap(Buffer.concat([text, last]))))
          if (batch) expect(() => decodeRequest(useAll(batch))).not.toThrow()
        }
      }
    },
  )

  it.each(PLACES.map(({ path, wrap }) => [path, wrap] as const))('%s takes no field number 0', (_, wrap) => {
    expect(() => LogBatch.decode(wrap(Buffer.of(0, 1)))).toThrow(MalformedError)
    expect(() => LogBatch.decode(wrap(Buffer.from('808080800001', 'hex')))).toThrow(MalformedError)
  })

  it.each(PLACES.map(({ path, wrap }) => [path, wrap] as const))(
    '%s takes no tag of more than 32 bits',
    (_, wrap) => {
      expect(() => LogBatch.decode(wrap(Buffer.from('f8ffffff0f01', 'hex')))).not.toThrow()
      for (const long of ['f8ffffff1f01', 'f8ffffff8f0001', 'ffffffffffffffffff0101']) {
        expect(() => LogBatch.decode(wrap(Buffer.from(long, 'hex'))), long).toThrow(MalformedError)
      }
    },
  )
})

describe('nesting', () => {
  /** A value inside arrays and maps in turn. */
  const nested = (levels: number, first: number): Buffer => {
    const parts = [len(1, Buffer.from('deep'))]
    let size = parts[0].length
    for (let level = 1; level < levels; level++) {
      for (const number of (first + level) % 2 === 0 ? [1, 5] : [2, 1, 6]) {
        const head = Buffer.concat([tag(number, LEN), varint(size)])
        parts.push(head)
        size += head.length
      }
    }
    return Buffer.concat(parts.reverse())
  }
  const roots = PLACES.filter(({ schema, path }) => schema.name === 'AnyValue' && !path.includes('_value'))

  it.each(roots.map(({ path, wrap }) => [path, wrap] as const))(
    'of %s may go to 64 levels and no deeper',
    (_, wrap) => {
      for (const first of [0, 1]) {
        expect(() => decodeRequest(useAll(decoded(wrap(nested(MAX_DEPTH, first)))))).not.toThrow()
        expect(() => LogBatch.decode(wrap(nested(MAX_DEPTH + 1, first)))).toThrow(
          'nested deeper than 64 levels',
        )
        expect(() => LogBatch.decode(wrap(nested(5000, first)))).toThrow('nested deeper than 64 levels')
      }
    },
  )

  it('is limited in a message of which another piece follows', () => {
    const attribute = (value: Buffer): Buffer => len(1, len(2, value))
    const resourceLogs = (resource: Buffer): Buffer =>
      len(1, Buffer.concat([len(1, resource), len(1, Buffer.alloc(0))]))

    expect(() => LogBatch.decode(resourceLogs(attribute(nested(MAX_DEPTH, 0))))).not.toThrow()
    expect(() => LogBatch.decode(resourceLogs(attribute(nested(20_000, 0))))).toThrow(
      'nested deeper than 64 levels',
    )
  })
})

describe('a hostile request', () => {
  const MANY = 300_000
  const inRecord = (content: Buffer): Buffer => len(1, len(2, len(2, content)))
  const inBody = (content: Buffer): Buffer => inRecord(len(5, content))
  const times = (content: Buffer): Buffer => Buffer.concat(Array.from({ length: MANY }, () => content))

  const UNKNOWN = times(len(100, Buffer.alloc(0)))

  it.each([
    ['empty resources', times(len(1, Buffer.alloc(0)))],
    ['empty scopes', len(1, times(len(2, Buffer.alloc(0))))],
    ['pieces of a resource', len(1, times(len(1, Buffer.alloc(0))))],
    ['schema URLs', len(1, times(len(3, Buffer.alloc(0))))],
    ['empty records', len(1, len(2, times(len(2, Buffer.alloc(0)))))],
    ['pieces of a body', inRecord(times(len(5, Buffer.alloc(0))))],
    ['pieces of a list', inBody(times(len(5, Buffer.alloc(0))))],
    ['members of a oneof', inBody(times(len(1, Buffer.alloc(0))))],
    ['members in turn', inBody(times(Buffer.concat([len(5, Buffer.alloc(0)), len(6, Buffer.alloc(0))])))],
    ['keys', inRecord(len(6, times(len(1, Buffer.alloc(0)))))],
    ['pieces of a value', inRecord(len(6, times(len(2, Buffer.alloc(0)))))],
    ['attributes', inRecord(times(len(6, Buffer.alloc(0))))],
    ['unknown fields in pieces of a body', inRecord(Buffer.concat([len(5, UNKNOWN), len(5, UNKNOWN)]))],
  ])('of countless %s takes time only in proportion to its size', (_, bytes) => {
    const batch = accepted(() => decoded(bytes))
    if (batch) batch.encode(Number.POSITIVE_INFINITY)
  })
})
