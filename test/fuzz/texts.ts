import type { Random } from './random.ts'

/** Names that mean something to somebody on the way of a record, JavaScript included. */
export const KEYS = [
  '',
  'a',
  'a.b',
  'a.b.c',
  '.',
  'a..b',
  '@timestamp',
  'message',
  'service.name',
  'host.name',
  'trace.id',
  'traceparent',
  'trace_id',
  'span_id',
  'trace_flags',
  'event.name',
  'exception.message',
  'exception.stacktrace',
  'data_stream.type',
  'data_stream.dataset',
  'data_stream.namespace',
  'elasticsearch.index',
  'elasticsearch.document_id',
  'elastic.mapping.mode',
  '__proto__',
  'constructor',
  'toString',
  '\u0000',
  'é漢😀',
  '"\\/',
]

/** What redaction looks for, what only looks like it, and what writers and readers of text stumble over. */
const TEXTS = [
  '',
  'x',
  'jane.doe+x@mail.example.co.uk',
  '@@@a@b.c.d@',
  '4111 1111 1111 1111',
  '13812345678',
  '+86 138 1234 5678',
  '11010519491231002X',
  'Authorization: Bearer abcDEF123456==',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U',
  '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  '1 2-3 4-5 6-7 8-9 0-1 2-3 4-5',
  '\u0000\u0001\u001f\u007f\u0080\u2028\u2029\ufeff\ufffd\uffff',
  '"\\\b\f\n\r\t/</script>',
  'e\u0301\u200d😀👩‍👩‍👧',
  'logs-generic.otel-default',
  'ecs',
  'raw',
  'bodymap',
  '-Infinity',
]
const LENGTHS = [1, 15, 16, 17, 23, 24, 25, 63, 64, 65, 127, 128, 129, 1000, 16_383, 16_384]

export function anyText(random: Random): string {
  switch (random.below(4)) {
    case 0:
      return random.pick(KEYS)
    case 1:
      return random.pick(['x', '0', 'é', '漢', '😀', '"', '\u0001', ' ']).repeat(random.pick(LENGTHS))
    case 2:
      return random.pick(TEXTS) + random.pick(TEXTS)
    default:
      return random.pick(TEXTS)
  }
}

/** Bytes that are no UTF-8: overlong, surrogates, beyond the last code point, cut short. */
export const NOT_UTF8 = ['ff', 'c3', 'c080', 'e28c', 'eda080', 'edb080', 'f4908080', '80', 'f0808080'].map(
  (hex) => Buffer.from(hex, 'hex'),
)
