import type { Attribute, Value } from './values.ts'

/** What every client is asked to send. */
export interface Telling {
  readonly resource: readonly Attribute[]
  readonly scope: {
    readonly name: string
    readonly version: string
    readonly schemaUrl: string
    readonly attributes: readonly Attribute[]
  }
  readonly records: readonly ToldRecord[]
}

export interface ToldRecord {
  readonly severity: number
  readonly severityText: string
  readonly eventName: string
  /** Nanoseconds since 1970. */
  readonly time: bigint
  readonly observed: bigint
  /** In hex; empty where there is none. */
  readonly traceId: string
  readonly spanId: string
  readonly flags: number
  readonly body: Value
  readonly attributes: readonly Attribute[]
}

const MEGABYTE = 1_000_000
const TIME = 1_790_000_000_123_456_789n

const string = (string: string): Value => ({ string })
const int = (int: bigint): Value => ({ int })
const double = (double: number): Value => ({ double })
const bytes = (bytes: string): Value => ({ bytes })
const array = (...array: readonly Value[]): Value => ({ array })
const map = (...map: readonly Attribute[]): Value => ({ map })

const TEXTS: readonly Attribute[] = [
  ['text', string('plain')],
  ['text.empty', string('')],
  ['text.quoted', string('"\\/\b\f\n\r\t</script>')],
  ['text.control', string('\u0000\u0001\u001f\u007f\u0080')],
  ['text.nul', string('before\u0000after')],
  ['text.chinese', string('漢字かな한글')],
  ['text.astral', string('😀👩‍👩‍👧𝒳')],
  ['text.combining', string('e\u0301 is not \u00e9')],
  ['text.right.to.left', string('שלום \u202eabc\u202c مرحبا')],
  ['text.separators', string('\u2028\u2029\ufeff\u00a0')],
  ['text.noncharacters', string('\ufffe\uffff\ufffd')],
]
/** Half a character, which UTF-8 does not have. */
export const LONE: readonly Attribute[] = [
  ['lone.high', string('a\ud83d')],
  ['lone.low', string('\ude00b')],
]
const NUMBERS: readonly Attribute[] = [
  ['int.zero', int(0n)],
  ['int.negative', int(-1n)],
  ['int.safe', int(2n ** 53n - 1n)],
  ['int.beyond', int(2n ** 53n + 1n)],
  ['int.digits', int(1_234_567_890_123_456_789n)],
  ['int.max', int(2n ** 63n - 1n)],
  ['int.min', int(-(2n ** 63n))],
  ['double', double(0.1)],
  ['double.negative', double(-2.5e-7)],
  ['double.whole', double(3)],
  ['double.minus.zero', double(-0)],
  ['double.subnormal', double(5e-324)],
  ['double.max', double(Number.MAX_VALUE)],
  ['double.large', double(1e21)],
  ['double.nan', double(Number.NaN)],
  ['double.infinite', double(Number.POSITIVE_INFINITY)],
  ['double.minus.infinite', double(Number.NEGATIVE_INFINITY)],
]
const OTHERS: readonly Attribute[] = [
  ['bool.true', { bool: true }],
  ['bool.false', { bool: false }],
  ['bytes', bytes('00ff807f0a22')],
  ['bytes.empty', bytes('')],
  ['nothing', null],
  ['array.empty', array()],
  ['array.texts', array(string('a'), string(''), string('😀'))],
  ['array.ints', array(int(1n), int(2n ** 63n - 1n))],
  ['array.mixed', array(string('1'), int(1n), double(1.5), { bool: true }, bytes('01'), null)],
  ['array.nested', array(array(array(int(1n))), map(['k', array(string('v'))]))],
  ['map.empty', map()],
  ['map', map(['b', string('first')], ['a', int(7n)], ['漢', null], ['__proto__', string('is a key')])],
  ['map.nested', map(['1', map(['2', map(['3', array(map(['4', bytes('ff')]))])])])],
]
const KEYS: readonly Attribute[] = [
  ['ключ', string('cyrillic')],
  ['🔑', string('astral')],
  ['with "quotes"\n', string('and a line feed')],
  ['a.b', string('dotted')],
  ['a', string('prefix')],
  ['__proto__', string('a key as well')],
  ['x'.repeat(1000), string('long')],
]

const BODIES: readonly Value[] = [
  ...TEXTS.map(([, value]) => value),
  ...NUMBERS.map(([, value]) => value),
  ...OTHERS.map(([, value]) => value),
  string('x'.repeat(MEGABYTE)),
  string('漢'.repeat(MEGABYTE / 3)),
  bytes('ab'.repeat(MEGABYTE)),
]

const PLAIN: ToldRecord = {
  severity: 0,
  severityText: '',
  eventName: '',
  time: TIME,
  observed: TIME + 1n,
  traceId: '',
  spanId: '',
  flags: 0,
  body: null,
  attributes: [],
}

const RECORDS: readonly Partial<ToldRecord>[] = [
  { attributes: TEXTS },
  { attributes: NUMBERS },
  { attributes: OTHERS },
  { attributes: KEYS },
  { attributes: LONE },
  ...BODIES.map((body) => ({ body })),
  ...Array.from({ length: 24 }, (_, number) => ({
    severity: number + 1,
    severityText: `level ${number + 1}`,
  })),
  { severityText: 'Wärnung' },
  { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', flags: 1 },
  { traceId: 'ffffffffffffffffffffffffffffffff', spanId: '0000000000000001', flags: 0 },
  { eventName: 'user.signed.in' },
  { eventName: 'événement 😀' },
  { time: 1n, observed: 2n },
]

/** Each record tells its number, so that it is found again in whatever order they come. */
export const TELLING: Telling = {
  resource: [['service.name', string('shop 漢')], ...TEXTS, ...NUMBERS, ...OTHERS],
  scope: {
    name: 'a scope 😀',
    version: '1.2.3',
    schemaUrl: 'https://opentelemetry.io/schemas/1.30.0',
    attributes: [...TEXTS, ...NUMBERS, ...OTHERS],
  },
  records: RECORDS.map((record, index) => ({
    ...PLAIN,
    ...record,
    attributes: [['number', int(BigInt(index))], ...(record.attributes ?? [])],
  })),
}
