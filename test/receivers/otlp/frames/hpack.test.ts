import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConnectionError } from '../../../../receivers/otlp/grpc/frames/connection-error.ts'
import { HeaderDecoder } from '../../../../receivers/otlp/grpc/frames/hpack/decoder.ts'
import { encodeFields } from '../../../../receivers/otlp/grpc/frames/hpack/encode.ts'
import { ErrorCode } from '../../../../receivers/otlp/grpc/frames/protocol.ts'

function decode(decoder: HeaderDecoder, hex: string): string[] {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
  const fields: string[] = []
  decoder.decode(bytes, 0, bytes.length, ({ name, value }) => fields.push(`${name}: ${value}`))
  return fields
}

const DATE = 'Mon, 21 Oct 2013 20:13:21 GMT'
const REQUESTS = [
  [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'],
  [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com', 'cache-control: no-cache'],
  [
    ':method: GET',
    ':scheme: https',
    ':path: /index.html',
    ':authority: www.example.com',
    'custom-key: custom-value',
  ],
]
const RESPONSES = [
  [':status: 302', 'cache-control: private', `date: ${DATE}`, 'location: https://www.example.com'],
  [':status: 307', 'cache-control: private', `date: ${DATE}`, 'location: https://www.example.com'],
  [
    ':status: 200',
    'cache-control: private',
    'date: Mon, 21 Oct 2013 20:13:22 GMT',
    'location: https://www.example.com',
    'content-encoding: gzip',
    'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
  ],
]
/** The table of 256 bytes that the examples of responses have. */
const SMALL_TABLE = '3fe101'

describe('header blocks are read as in RFC 7541, appendix C', () => {
  it.each([
    [
      'a literal with indexing (C.2.1)',
      '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572',
      'custom-key: custom-header',
    ],
    ['a literal without indexing (C.2.2)', '040c 2f73 616d 706c 652f 7061 7468', ':path: /sample/path'],
    [
      'a literal that is never indexed (C.2.3)',
      '1008 7061 7373 776f 7264 0673 6563 7265 74',
      'password: secret',
    ],
    ['an indexed field (C.2.4)', '82', ':method: GET'],
  ])('%s', (_, hex, field) => {
    expect(decode(new HeaderDecoder(), hex)).toEqual([field])
  })

  it.each([
    [
      'requests (C.3)',
      REQUESTS,
      [
        '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '8286 84be 5808 6e6f 2d63 6163 6865',
        '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
      ],
    ],
    [
      'requests in Huffman code (C.4)',
      REQUESTS,
      [
        '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
        '8286 84be 5886 a8eb 1064 9cbf',
        '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      ],
    ],
    [
      'responses, with evictions (C.5)',
      RESPONSES,
      [
        `${SMALL_TABLE} 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
        '4803 3330 37c1 c0bf',
        '88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31',
      ],
    ],
    [
      'responses in Huffman code, with evictions (C.6)',
      RESPONSES,
      [
        `${SMALL_TABLE} 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
        '4883 640e ffc1 c0bf',
        '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
      ],
    ],
  ])('%s', (_, expected, blocks) => {
    const decoder = new HeaderDecoder()
    expect(blocks.map((block) => decode(decoder, block))).toEqual(expected)
  })
})

describe('a header block is COMPRESSION_ERROR', () => {
  it.each([
    ['where it refers to field 0', '80'],
    ['where it refers to a field that is in no table', 'be'],
    ['where it takes the name of a field that is in no table', '7e 01 61'],
    ['where a table size follows a field', '82 20'],
    ['where a table is to be larger than 4096 bytes', '3f e2 1f'],
    ['where a number does not end', 'ff ff'],
    ['where a number is larger than any may be', 'ff ff ff ff ff ff'],
    ['where a number has more bytes than it needs to be large', '7f 80 80 80 80 80 80 80 80 01'],
    ['where a text is longer than it', '00 05 61'],
    ['where it ends before a name', '40'],
    ['where it ends before a value', '00 01 61'],
    ['where a text in Huffman code holds the end', '00 84 ff ff ff ff 01 61'],
    ['where the padding of a text is longer than seven bits', '00 82 1f ff 01 61'],
    ['where the padding of a text is not of ones', '00 81 18 01 61'],
  ])('%s', (_, hex) => {
    const reading = (): unknown => decode(new HeaderDecoder(), hex)
    expect(reading).toThrow(ConnectionError)
    expect(reading).toThrow(expect.objectContaining({ code: ErrorCode.compressionError }))
  })

  it('or is read, whatever its bytes are', () => {
    const decoder = new HeaderDecoder()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        try {
          decoder.decode(Buffer.from(bytes), 0, bytes.length, () => {})
        } catch (error) {
          expect(error).toBeInstanceOf(ConnectionError)
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('the table of a client', () => {
  const LONG = 'v'.repeat(127)
  /** A field that is to be remembered. */
  const remembered = (name: string, value: string): string =>
    Buffer.concat([
      Buffer.from([0x40, name.length]),
      Buffer.from(name),
      Buffer.from([0x7f, value.length - 0x7f]),
      Buffer.from(value),
    ]).toString('hex')

  it('holds the newest fields that fit 4096 bytes', () => {
    const decoder = new HeaderDecoder()
    // Of 1 + 127 + 32 bytes each: 25 fit.
    for (let i = 0; i < 26; i++) decode(decoder, remembered(String.fromCharCode(0x61 + i), LONG))
    expect(decode(decoder, 'be')).toEqual([`z: ${LONG}`])
    expect(decode(decoder, (0x80 | (62 + 24)).toString(16))).toEqual([`b: ${LONG}`])
    expect(() => decode(decoder, (0x80 | (62 + 25)).toString(16))).toThrow(ConnectionError)
  })

  it('is emptied by a smaller size, and by a field that is larger than it', () => {
    const decoder = new HeaderDecoder()
    decode(decoder, remembered('a', LONG))
    decode(decoder, '20')
    expect(() => decode(decoder, 'be')).toThrow(ConnectionError)
    decode(decoder, '3fe11f')
    decode(decoder, remembered('b', LONG))
    decode(decoder, `3f21${remembered('c', LONG)}`)
    expect(() => decode(decoder, 'be')).toThrow(ConnectionError)
  })

  it('says when it has changed', () => {
    const decoder = new HeaderDecoder()
    decode(decoder, '82 04 01 61')
    const before = decoder.changes
    decode(decoder, '82 04 01 61')
    expect(decoder.changes).toBe(before)
    decode(decoder, '40 01 61 01 62')
    expect(decoder.changes).toBeGreaterThan(before)
  })
})

describe('what we write', () => {
  const name = fc.stringMatching(/^[a-z-]{1,20}$/)
  const value = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '%', '/', ' ', '0', '~'), maxLength: 400 })

  it('is read as it was meant, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.dictionary(name, value, { maxKeys: 10 }),
        fc.integer({ min: 100, max: 599 }),
        (fields, status) => {
          const all = { ':status': status, 'content-type': 'application/grpc', ...fields }
          const block = encodeFields(all).toString('hex')
          expect(decode(new HeaderDecoder(), block)).toEqual(
            Object.entries(all).map(([key, content]) => `${key}: ${content}`),
          )
        },
      ),
    )
  })
})
