import { create } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { vi } from 'vitest'
import { type Oddity, oddBytes } from '../oracle/odd-wire.ts'
import { type AnyValue, type Request, type RequestInit, RequestSchema } from '../oracle/oracle.ts'

const given = Number(process.env.SLUICE_FUZZ_RUNS)
if (given > 0) vi.setConfig({ testTimeout: 0 })

/** Parameters of a property: the same short run each time, or as many new ones as SLUICE_FUZZ_RUNS says. */
export function runs<T>(usual = 60): fc.Parameters<T> {
  return given > 0 ? { numRuns: given } : { numRuns: Math.ceil(usual / 2), seed: 20_240_607 }
}

const LETTERS = [
  'a',
  'b',
  'z',
  '0',
  ' ',
  '"',
  '\\',
  '/',
  '\n',
  '\t',
  '\u0000',
  '\u001f',
  '\u007f',
  'é',
  '漢',
  '😀',
]
const unit = fc.constantFrom(...LETTERS, '\u2028', '\ufeff', '\ud7ff', '\uffff')

export const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: fc.string({ unit, maxLength: 12 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  { weight: 1, arbitrary: fc.string({ unit, minLength: 20, maxLength: 160, size: 'max' }) },
  { weight: 1, arbitrary: fc.constantFrom('', 'a'.repeat(127), 'b'.repeat(128), `${'x'.repeat(47)}é`) },
)

const KEYS = [
  'a',
  'b',
  'k',
  'http.route',
  'event.name',
  'data_stream.dataset',
  'elasticsearch.index',
  '__proto__',
  '',
]
const key = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...KEYS) }, { weight: 1, arbitrary: text })

const int = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -200n, max: 200n }),
  fc.constantFrom(
    0n,
    -1n,
    2n ** 63n - 1n,
    -(2n ** 63n),
    2n ** 53n,
    2n ** 53n - 1n,
    -(2n ** 53n),
    4_111_111_111_111_111n,
  ),
)
const double = fc.oneof(
  fc.double(),
  fc.constantFrom(
    0,
    -0,
    1,
    -1,
    0.1,
    1e20,
    1e21,
    -1e21,
    1e-7,
    5e-324,
    Number.MAX_VALUE,
    Number.NaN,
    Infinity,
    -Infinity,
  ),
)
const bytes = fc.uint8Array({ maxLength: 20 })

type Any = { readonly value: { readonly case: AnyValue['value']['case']; readonly value?: unknown } }
// An alias, for an interface has no index signature and `letrec` asks for one.
type Values = {
  any: Any
  keyValue: { readonly key: string; readonly value: Any | undefined }
}

const DEEPEST = { depthSize: 'small', maxDepth: 6, depthIdentifier: 'values' } as const

const { any, keyValue } = fc.letrec<Values>((tie) => ({
  any: fc.oneof(
    DEEPEST,
    member('stringValue', text),
    member('intValue', int),
    member('boolValue', fc.boolean()),
    member('doubleValue', double),
    member('bytesValue', bytes),
    fc.constantFrom({ value: { case: undefined } }),
    member(
      'arrayValue',
      fc.record({ values: fc.array(tie('any'), { maxLength: 4, depthIdentifier: 'values' }) }),
    ),
    member(
      'kvlistValue',
      fc.record({ values: fc.array(tie('keyValue'), { maxLength: 4, depthIdentifier: 'values' }) }),
    ),
  ),
  keyValue: fc.record({
    key,
    value: fc.option(tie('any'), { nil: undefined, freq: 9, depthIdentifier: 'values' }),
  }),
}))

function member<T>(kind: NonNullable<AnyValue['value']['case']>, value: fc.Arbitrary<T>): fc.Arbitrary<Any> {
  return value.map((value) => ({ value: { case: kind, value } }))
}

const attributes = fc.array(keyValue, { maxLength: 5 })
const count = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 2 ** 32 - 1 }))
const url = fc.oneof(
  { weight: 2, arbitrary: fc.constant('') },
  fc.constant('https://opentelemetry.io/schemas/1.30.0'),
  text,
)

const time = fc.oneof(
  { weight: 4, arbitrary: fc.bigInt({ min: 1_700_000_000_000_000_000n, max: 1_800_000_000_000_000_000n }) },
  { weight: 2, arbitrary: fc.constant(0n) },
  fc.constantFrom(1n, 999_999n, 1_000_000n, 1_000_000_000n, 2n ** 63n, 2n ** 64n - 1n),
)
const severity = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 24 }) },
  fc.constantFrom(-1, 25, 127, 128, 1000, -(2 ** 31), 2 ** 31 - 1),
)

function id(size: number): fc.Arbitrary<Uint8Array> {
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant(new Uint8Array()) },
    { weight: 3, arbitrary: fc.uint8Array({ minLength: size, maxLength: size, size: 'max' }) },
    fc.constant(new Uint8Array(size)),
    fc.uint8Array({ maxLength: 2 * size, size: 'max' }),
  )
}

const logRecord = fc.record({
  timeUnixNano: time,
  observedTimeUnixNano: time,
  severityNumber: severity,
  severityText: fc.oneof(fc.constantFrom('', 'INFO', 'Warnung'), text),
  body: fc.option(any, { nil: undefined, freq: 7 }),
  attributes,
  droppedAttributesCount: count,
  flags: fc.oneof(fc.constantFrom(0, 1, 255, 256, 257), fc.integer({ min: 0, max: 2 ** 32 - 1 })),
  traceId: id(16),
  spanId: id(8),
  eventName: fc.oneof({ weight: 2, arbitrary: fc.constant('') }, text),
})

const entityRef = fc.record({
  schemaUrl: url,
  type: text,
  idKeys: fc.array(key, { maxLength: 2 }),
  descriptionKeys: fc.array(key, { maxLength: 2 }),
})

const MOST = 4
/** Records of the largest request. */
export const MOST_RECORDS = MOST ** 3

const scopeLogs = fc.record({
  scope: fc.option(fc.record({ name: text, version: text, attributes, droppedAttributesCount: count }), {
    nil: undefined,
  }),
  logRecords: fc.array(logRecord, { maxLength: MOST }),
  schemaUrl: url,
})

const resourceLogs = fc.record({
  resource: fc.option(
    fc.record({
      attributes,
      droppedAttributesCount: count,
      entityRefs: fc.array(entityRef, { maxLength: 1 }),
    }),
    { nil: undefined },
  ),
  scopeLogs: fc.array(scopeLogs, { maxLength: MOST }),
  schemaUrl: url,
})

/** Whole requests with everything that OTLP allows in them. */
export const request: fc.Arbitrary<Request> = fc
  .record({ resourceLogs: fc.array(resourceLogs, { maxLength: MOST }) })
  .map((content) => create(RequestSchema, content as RequestInit))

export const oddity: fc.Arbitrary<Oddity> = fc.record({
  seed: fc.nat(),
  rate: fc.constantFrom(0, 0.05, 0.2, 0.4),
})

/** A request and bytes that stand for it, usual or odd. */
export interface Sample {
  readonly request: Request
  readonly bytes: Buffer
}

export const sample: fc.Arbitrary<Sample> = fc
  .tuple(request, oddity)
  .map(([request, oddity]) => ({ request, bytes: oddBytes(request, oddity) }))

/** Places in bytes, and the bits to turn around there. */
export const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 3 })

/** A copy with some bits turned around. */
export function damage(bytes: Buffer, changes: readonly (readonly [number, number])[]): Buffer {
  const copy = Buffer.from(bytes)
  if (copy.length > 0) for (const [at, bits] of changes) copy[at % copy.length] ^= bits
  return copy
}

/** For each record of a request, in order, whether it is one of some. */
export const choice: fc.Arbitrary<boolean[]> = fc.array(fc.boolean(), {
  minLength: MOST_RECORDS,
  maxLength: MOST_RECORDS,
  size: 'max',
})
