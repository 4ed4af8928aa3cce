import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makePayload } from '../../../bench/payload.ts'
import { LogBatch } from '../../../src/logs/batch.ts'
import type { BatchData } from '../../../src/logs/data.ts'
import { kernel } from '../../../src/logs/kernel/kernel.ts'
import { JsonWriter } from '../../../src/logs/ndjson/json-writer.ts'
import { RecordJson } from '../../../src/logs/ndjson/record-json.ts'
import { L } from '../../../src/logs/structure.ts'
import { AnyValue, KeyValue, LIST_ITEM, MAX_DEPTH, MalformedError, Record } from '../../../src/logs/wire.ts'
import { WireWriter } from '../../../src/logs/wire-writer.ts'
import { damage, flips, runs, sample } from '../../support/arbitraries.ts'

const DATA_STREAM = Buffer.from(',"data_stream":{}')
const CONTEXT = Buffer.from(`,"resource":{},"scope":{"name":"${'x'.repeat(100)}"}`)
const RECEIVED_MS = 1_750_000_000_123

/** What TypeScript makes of a record. */
function inFull(record: Buffer): string {
  const json = new RecordJson('epoch_millis')
  const out = new JsonWriter(record.length * 6 + 4096)
  if (json.read(record, 0, record.length)) return 'steers the exporter'
  json.write(out, DATA_STREAM, CONTEXT, RECEIVED_MS)
  return out.bytes.toString('latin1', 0, out.pos)
}

/** What the kernel makes of it; undefined when it gave up. */
function inKernel(record: Buffer): string | undefined {
  if (kernel === undefined) throw new Error('there is no kernel: SLUICE_KERNEL is off')
  const { exports, output } = kernel
  const address = kernel.addressOf(record)
  kernel.fill(exports.CONTEXT, exports.CONTEXT_SIZE, DATA_STREAM, CONTEXT)
  if (exports.readRecord(address, address + record.length) === 0) return undefined
  const start = exports.OUTPUT.value
  const end = exports.writeRecord(start, DATA_STREAM.length, CONTEXT.length, RECEIVED_MS)
  return end === -1 ? undefined : output.toString('latin1', 0, end - start)
}

function recordsIn({ bytes, rows }: BatchData): Buffer[] {
  return Array.from({ length: rows.length / L.STRIDE }, (_, record) =>
    bytes.subarray(rows[record * L.STRIDE + L.START], rows[record * L.STRIDE + L.END]),
  )
}

/** A record that `write` writes. */
function record(write: (writer: WireWriter) => void): Buffer {
  const writer = new WireWriter(1024)
  write(writer)
  return writer.copyOut()
}

/** A record with a body that `write` writes, which is `before` bytes further on than it would be. */
function body(write: (writer: WireWriter) => void, before = 0): Buffer {
  return record((writer) => {
    writer.text(Record.severityText, 'x'.repeat(before))
    const start = writer.open(Record.body)
    write(writer)
    writer.close(start)
  })
}

function attribute(writer: WireWriter, tag: number, key: string, value: (writer: WireWriter) => void): void {
  const start = writer.open(tag)
  writer.text(KeyValue.key, key)
  const inner = writer.open(KeyValue.value)
  value(writer)
  writer.close(inner)
  writer.close(start)
}

/** The JSON of a body in a document. */
function bodyIn(document: string | undefined): string | undefined {
  return document === undefined ? undefined : /"body":\{"text":(.*)\}\}\n$/s.exec(document)?.[1]
}

describe('a document that the kernel writes', () => {
  it('is written by it when the record is as an SDK writes it', () => {
    for (const record of recordsIn(LogBatch.decode(makePayload({ records: 50, seed: 1 })).data)) {
      expect(inKernel(record)).toBe(inFull(record))
    }
  })

  it('is the one that TypeScript writes, whatever the record, damaged or not', () => {
    let taken = 0
    fc.assert(
      fc.property(sample, flips, ({ bytes }, changes) => {
        for (const whole of recordsIn(LogBatch.decode(bytes).data)) {
          const record = damage(whole, changes)
          const document = inKernel(record)
          if (document === undefined) continue
          taken++
          expect(document).toBe(inFull(record))
        }
      }),
      runs(300),
    )
    expect(taken, 'many of the records are usual enough').toBeGreaterThan(100)
  })

  it.each([
    'data_stream.dataset',
    'data_stream.namespace',
    'data_stream.type',
    'elasticsearch.index',
    'elasticsearch.mapping.hints',
    'elasticsearch.document_id',
    'elasticsearch.ingest_pipeline',
    'elastic.mapping.mode',
  ])('is left to TypeScript when %s steers the exporter', (key) => {
    const steered = record((writer) => attribute(writer, Record.attributes, key, () => {}))
    expect(inKernel(steered)).toBeUndefined()
    expect(inFull(steered)).toBe('steers the exporter')
  })

  it('is left to TypeScript when an attribute alone names the event', () => {
    const named = (field: boolean, key = 'event.name'): Buffer =>
      record((writer) => {
        attribute(writer, Record.attributes, key, (value) => value.text(AnyValue.string, 'x'))
        if (field) writer.text(Record.eventName, 'field')
      })
    expect(inKernel(named(false))).toBeUndefined()
    expect(inFull(named(false))).toContain('"event_name":"x"')
    expect(inKernel(named(true))).toContain('"event_name":"field"')
    expect(inKernel(named(false, 'event_name'))).toBe(inFull(named(false, 'event_name')))
  })

  it('has any severity but none', () => {
    for (const severity of [-(2 ** 31), -1, 0, 25, 2 ** 31 - 1]) {
      const severe = record((writer) => {
        writer.varint(Record.severityNumber)
        writer.int64(BigInt(severity))
      })
      expect(inKernel(severe)).toBe(inFull(severe))
      if (severity !== 0) expect(inKernel(severe)).toContain(`"severity_number":${severity}`)
    }
  })

  it('has the last of several keys and values of an attribute', () => {
    const twice = record((writer) => {
      const start = writer.open(Record.attributes)
      for (const text of ['first', 'last']) {
        writer.text(KeyValue.key, text)
        const value = writer.open(KeyValue.value)
        writer.text(AnyValue.string, text)
        writer.close(value)
      }
      writer.close(start)
    })
    expect(inKernel(twice)).toContain('"attributes":{"last":"last"}')
    expect(inFull(twice)).toBe(inKernel(twice))
  })

  it.each(['data_stream', 'elastic', 'exception.stacktrace', 'deployment.environment.name', 'd'.repeat(100)])(
    'is its own when there is an attribute %s',
    (key) => {
      const usual = record((writer) => attribute(writer, Record.attributes, key, () => {}))
      expect(inKernel(usual)).toBe(inFull(usual))
    },
  )
})

describe('text in the kernel', () => {
  const PLAIN = Buffer.from([0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7f, 0x80, 0xa2, 0xdc, 0xff])
  const plainText = (length: number): Buffer =>
    Buffer.from(Array.from({ length }, (_, index) => PLAIN[index % PLAIN.length]))
  const expectText = (text: Buffer, before: number): void => {
    const document = inKernel(body((writer) => writer.field(AnyValue.string, text), before))
    expect(bodyIn(document)).toBe(JSON.stringify(text.toString('latin1')))
  }

  it.each([0x00, 0x08, 0x09, 0x0a, 0x0c, 0x0d, 0x1f, 0x22, 0x5c])(
    'is escaped where byte %d stands, at any place in text of any length',
    (special) => {
      for (let length = 0; length <= 72; length++) {
        expectText(plainText(length), length % 16)
        for (let at = 0; at < length; at++) {
          const text = plainText(length)
          text[at] = special
          expectText(text, (length + at) % 16)
        }
      }
    },
  )

  it('is escaped wherever it must be', () => {
    const byte = fc.oneof(fc.constantFrom(0x00, 0x0a, 0x1f, 0x20, 0x22, 0x5c), fc.nat(255))
    const bytes = fc.array(byte, { maxLength: 200, size: 'max' })
    fc.assert(
      fc.property(bytes, fc.nat(15), (text, before) => expectText(Buffer.from(text), before)),
      runs(300),
    )
  })
})

describe('numbers in the kernel', () => {
  const double = (value: number): void => {
    const bytes = body((writer) => {
      writer.varint(AnyValue.double)
      writer.double(value)
    })
    expect(inKernel(bytes)).toBe(inFull(bytes))
  }
  const decimal = fc
    .tuple(fc.maxSafeNat(), fc.nat(16), fc.nat(22))
    .map(([digits, less, places]) => Math.floor(digits / 10 ** less) / 10 ** places)

  it('are the doubles that JavaScript writes', () => {
    fc.assert(
      fc.property(fc.oneof(decimal, fc.double()), (value) => {
        double(value)
        double(-value)
      }),
      runs(2000),
    )
  })

  it.each([
    0,
    1,
    0.1,
    1e-6,
    9.9e-7,
    0.1 + 0.2,
    999_999_999_999_999,
    99_999_999_999_999.9,
    1e15,
    2 ** 53,
    1e20,
    1e21,
    5e-324,
    Number.MAX_VALUE,
    Number.NaN,
    Infinity,
  ])('are %d and its negative as doubles', (value) => {
    double(value)
    double(-value)
  })

  it('are integers of any size', () => {
    const edges = Array.from({ length: 19 }, (_, power) => [10n ** BigInt(power), 10n ** BigInt(power) - 1n])
    const int = fc.oneof(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.constantFrom(...edges.flat(), -(2n ** 63n), 2n ** 63n - 1n, 2n ** 32n, 2n ** 32n - 1n),
    )
    fc.assert(
      fc.property(int, (value) => {
        const bytes = body((writer) => {
          writer.varint(AnyValue.int)
          writer.int64(value)
        })
        expect(bodyIn(inKernel(bytes))).toBe(String(value))
      }),
      runs(500),
    )
  })
})

describe('a value of several members', () => {
  const MEMBERS: { readonly [kind: string]: (writer: WireWriter) => void } = {
    string: (writer) => writer.text(AnyValue.string, 'text'),
    bool: (writer) => writer.copy(Buffer.from([AnyValue.bool, 1])),
    int: (writer) => writer.copy(Buffer.from([AnyValue.int, 7])),
    double: (writer) => writer.copy(Buffer.from([AnyValue.double, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f])),
    array: (writer) => writer.field(AnyValue.array, Buffer.from([LIST_ITEM, 0])),
    kvlist: (writer) => writer.field(AnyValue.kvlist, Buffer.from([LIST_ITEM, 0])),
    bytes: (writer) => writer.field(AnyValue.bytes, Buffer.from('bytes')),
    'an unknown field': (writer) => writer.copy(Buffer.from([0x78, 1])),
  }
  const kinds = Object.keys(MEMBERS)

  it.each(kinds.flatMap((first) => kinds.map((second) => [first, second] as const)))(
    'is left to TypeScript: %s and %s',
    (first, second) => {
      const both = (writer: WireWriter): void => {
        MEMBERS[first](writer)
        MEMBERS[second](writer)
      }
      expect(inKernel(body(both))).toBeUndefined()
      expect(inKernel(record((writer) => attribute(writer, Record.attributes, 'k', both)))).toBeUndefined()
    },
  )
})

describe('values in values in the kernel', () => {
  const nested = (levels: number, tag: number) => (writer: WireWriter) => {
    if (levels === 1) return writer.text(AnyValue.string, 'deep')
    const start = writer.open(tag)
    if (tag === AnyValue.kvlist) attribute(writer, LIST_ITEM, 'k', nested(levels - 1, tag))
    else {
      const item = writer.open(LIST_ITEM)
      nested(levels - 1, tag)(writer)
      writer.close(item)
    }
    writer.close(start)
  }

  it.each([AnyValue.array, AnyValue.kvlist])('go as deep as they may, tag %d', (tag) => {
    const deepest = body(nested(MAX_DEPTH, tag))
    const tooDeep = body(nested(MAX_DEPTH + 1, tag))
    expect(inKernel(deepest)).toBe(inFull(deepest))
    expect(inKernel(tooDeep)).toBeUndefined()
    expect(() => inFull(tooDeep)).toThrow(MalformedError)
  })

  const withKeys = (keys: readonly string[]): Buffer =>
    body((writer) => {
      const start = writer.open(AnyValue.kvlist)
      keys.forEach((key, index) => {
        attribute(writer, LIST_ITEM, key, (inner) => inner.text(AnyValue.string, String(index)))
      })
      writer.close(start)
    })

  it('keep the first of keys that are there twice', () => {
    const key = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 3 })
    fc.assert(
      fc.property(fc.array(key, { maxLength: 60, size: 'max' }), (keys) => {
        const bytes = withKeys(keys)
        expect(inKernel(bytes)).toBe(inFull(bytes))
      }),
      runs(300),
    )
  })

  it('have as many keys as the kernel compares, and else TypeScript', () => {
    const keys = Array.from({ length: 64 }, (_, index) => `key ${index}`)
    const most = withKeys([...keys, ...keys])
    expect(inKernel(most)).toBe(inFull(most))
    expect(inKernel(withKeys([...keys, 'one more']))).toBeUndefined()
  })
})
