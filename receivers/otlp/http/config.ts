import { z } from 'zod'
import { secret } from '../../../src/config/fields.ts'

/** RFC 9110, sections 5.1 and 5.5. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
/** Headers of an answer that the receiver writes itself. */
const OWN_HEADERS = /^(?:content-(?:type|length|encoding)|transfer-encoding|connection|retry-after|date)$/i

const headerName = () => z.string().regex(HEADER_NAME, { error: 'expected the name of a header' })

const cors = z
  .strictObject({
    allowed_origins: z
      .array(
        z.string().refine((origin) => origin.split('*').length <= 2, {
          error: 'expected no more than one *, as in https://*.example.com',
        }),
      )
      .default([])
      .describe(
        'Origins whose pages may send logs, such as https://*.example.com with one wildcard each, or "*" for any. With none CORS is off.',
      ),
    allowed_headers: z
      .array(z.union([z.literal('*'), headerName()]))
      .default([])
      .describe(
        'Headers that pages may send besides Accept, Content-Type, Content-Encoding and X-Requested-With; "*" for any.',
      ),
    exposed_headers: z.array(headerName()).default([]).describe('Headers of answers that pages may read.'),
    max_age: z
      .int()
      .min(0)
      .default(0)
      .describe('Seconds that browsers remember what is allowed; 0 leaves it to them.'),
  })
  .prefault({})
  .describe(
    'Lets pages of other origins send logs, as browsers ask: https://fetch.spec.whatwg.org/#cors-protocol',
  )

/** `zlib` is what the Collector's clients also call deflate. */
const ALGORITHMS = ['', 'gzip', 'deflate', 'zstd', 'zlib']
const UNKNOWN = ['snappy', 'x-snappy-framed', 'lz4']

/** What confighttp has besides endpoints, sizes and times. */
export const httpShape = {
  keep_alives_enabled: z
    .boolean()
    .default(true)
    .describe('Whether a connection may bring more than one request.'),
  compression_algorithms: z
    .array(
      z.string().superRefine((name, context) => {
        if (ALGORITHMS.includes(name)) return
        const known = ALGORITHMS.map((each) => JSON.stringify(each)).join(', ')
        const hint = UNKNOWN.includes(name) ? 'Sluice does not undo it; send zstd or gzip. ' : ''
        context.addIssue({ code: 'custom', message: `${hint}expected some of ${known}` })
      }),
    )
    .default(ALGORITHMS)
    .describe('Content-Encodings that are undone; "" stands for none. Others are answered 415.'),
  response_headers: z
    .record(
      headerName().refine((name) => !OWN_HEADERS.test(name), {
        error: 'the receiver writes this header itself',
      }),
      secret().regex(HEADER_VALUE, { error: 'expected what a header may hold' }),
    )
    .default({})
    .describe('Headers that every answer has.'),
  cors,
}

export type CorsSettings = z.output<typeof cors>
