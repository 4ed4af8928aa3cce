import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { Flag, frameOf, openingOf, Type } from '../../receivers/otlp/frames.ts'
import { frame } from '../../receivers/otlp/harness.ts'
import { json } from '../json/target.ts'
import type { Random } from '../random.ts'
import { changeBytes } from '../wire/mutate.ts'
import { wire } from '../wire/target.ts'

/** What is written to a connection, piece by piece, and to which port. */
export interface LiveInput {
  readonly port: 'grpc' | 'http'
  readonly pieces: readonly Buffer[]
}

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
const ENCODINGS = ['identity', 'gzip', 'deflate', 'zstd', 'br', 'gzip, zstd', '', '\u00e9']
const TYPES = [
  'application/x-protobuf',
  'application/json',
  'application/json; charset=utf-16',
  'text/plain',
  '',
]
const TARGETS = ['/v1/logs', '/v1/logs?a', '/', '*', '/v1/logs/../logs', 'http://a/v1/logs']
const METHODS = ['POST', 'GET', 'PUT', 'OPTIONS', 'CONNECT', 'post', 'PRI']
const BOMB = Buffer.alloc(64 * 1024 * 1024)
const BOMBS = [gzipSync(BOMB), deflateSync(BOMB), zstdCompressSync(BOMB)]

/** Makes hostile connections out of requests, which the seed decides. */
export class LiveInputs {
  readonly #random: Random
  readonly #bodies: Readonly<Record<'wire' | 'json', readonly Buffer[]>>

  constructor(random: Random) {
    this.#random = random
    this.#bodies = { wire: wire.seeds(random), json: json.seeds(random) }
  }

  next(): LiveInput {
    const input = this.#random.chance(0.5) ? this.#http() : this.#grpc()
    return { ...input, pieces: this.#cut(Buffer.concat(input.pieces)) }
  }

  #http(): LiveInput {
    const random = this.#random
    const isJson = random.chance(0.5)
    const encoding = random.pick(ENCODINGS)
    const body = this.#compressed(this.#body(isJson), encoding)
    const usual = random.chance(0.7)
    const lines = [
      `${usual ? 'POST' : random.pick(METHODS)} ${usual ? '/v1/logs' : random.pick(TARGETS)} HTTP/1.1`,
      'host: a',
      `content-type: ${usual ? TYPES[isJson ? 1 : 0] : random.pick(TYPES)}`,
      ...(encoding === 'identity' ? [] : [`content-encoding: ${encoding}`]),
    ]
    const chunked = random.chance(0.3)
    const length = body.length + (random.chance(0.1) ? random.pick([-1, 1, 2 ** 40]) : 0)
    lines.push(chunked ? 'transfer-encoding: chunked' : `content-length: ${length}`)
    if (random.chance(0.05)) lines.push(`x-large: ${'x'.repeat(random.pick([8000, 20_000]))}`)
    const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
    const framed = chunked ? this.#chunks(body) : body
    const whole = Buffer.concat([random.chance(0.1) ? changeBytes(head, random) : head, framed])
    return { port: 'http', pieces: [whole] }
  }

  #chunks(body: Buffer): Buffer {
    const size = this.#random.chance(0.1)
      ? this.#random.pick(['ffffffffffffffff', '-1', 'zz', ''])
      : body.length.toString(16)
    return Buffer.concat([Buffer.from(`${size}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')])
  }

  #grpc(): LiveInput {
    const random = this.#random
    const encoding = random.pick(['identity', 'gzip', 'deflate', 'zstd', 'snappy'])
    const body = this.#compressed(this.#body(false), encoding)
    const flag = encoding === 'identity' ? 0 : 1
    const length = random.chance(0.1)
      ? random.pick([0, body.length - 1, body.length + 1, 2 ** 32 - 1])
      : body.length
    const message = frame(body, random.chance(0.1) ? random.below(256) : flag, Math.max(0, length))
    const streams = [1, 3, 5].slice(0, 1 + random.below(3))
    const frames = streams.flatMap((stream) => [
      openingOf(stream, encoding === 'identity' ? {} : { 'grpc-encoding': encoding }),
      ...this.#data(stream, random.chance(0.05) ? Buffer.concat([message, message]) : message),
    ])
    if (random.chance(0.2)) frames.splice(random.below(frames.length), 1 + random.below(2))
    if (random.chance(0.2)) frames.splice(random.below(frames.length + 1), 0, this.#anyFrame())
    const settings = frameOf(Type.settings, Flag.none, 0)
    const whole = Buffer.concat([PREFACE, settings, ...frames])
    return { port: 'grpc', pieces: [random.chance(0.1) ? changeBytes(whole, random) : whole] }
  }

  #data(stream: number, message: Buffer): Buffer[] {
    const size = this.#random.pick([16_384, 16_384, 1, 7, 1000])
    const frames: Buffer[] = []
    for (let at = 0; at < message.length && frames.length < 100; at += size) {
      const end = at + size >= message.length || frames.length === 99
      frames.push(
        frameOf(Type.data, end ? Flag.endStream : Flag.none, stream, message.subarray(at, at + size)),
      )
    }
    return frames
  }

  #anyFrame(): Buffer {
    const random = this.#random
    const payload = random.bytes(random.pick([0, 4, 5, 6, 8, 9, 40]))
    return frameOf(random.below(12), random.below(256), random.pick([0, 1, 2, 3, 7, 2 ** 31 - 1]), payload)
  }

  #body(isJson: boolean): Buffer {
    const random = this.#random
    const bodies = this.#bodies[isJson ? 'json' : 'wire']
    const body = random.pick(bodies)
    return random.chance(0.5) ? body : (isJson ? json : wire).mutate(body, random.pick(bodies), random)
  }

  #compressed(body: Buffer, encoding: string): Buffer {
    const random = this.#random
    if (random.chance(0.02)) return random.pick(BOMBS)
    const compress = random.chance(0.05) ? random.pick(COMPRESSIONS) : COMPRESSION_BY_NAME.get(encoding)
    const packed = compress === undefined ? body : compress(body)
    if (random.chance(0.1)) return changeBytes(packed, random)
    return random.chance(0.05) ? Buffer.concat(Array(random.pick([2, 3, 200])).fill(packed)) : packed
  }

  #cut(whole: Buffer): Buffer[] {
    const random = this.#random
    const sent = random.chance(0.05) ? whole.subarray(0, random.below(whole.length + 1)) : whole
    if (random.chance(0.7)) return [sent]
    const middle = random.below(sent.length + 1)
    return [sent.subarray(0, middle), sent.subarray(middle)]
  }
}

const COMPRESSIONS = [
  (body: Buffer) => gzipSync(body),
  (body: Buffer) => deflateSync(body),
  (body: Buffer) => zstdCompressSync(body),
]
const COMPRESSION_BY_NAME = new Map(
  ['gzip', 'deflate', 'zstd'].map((name, index) => [name, COMPRESSIONS[index]]),
)
