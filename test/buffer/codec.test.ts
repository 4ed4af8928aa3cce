import { randomBytes } from 'node:crypto'
import { chmodSync, copyFileSync } from 'node:fs'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { Codec } from '../../src/buffer/codec.ts'
import { packingShape } from '../../src/buffer/config.ts'
import { packElement } from '../../src/buffer/element.ts'
import { MissingKeyError } from '../../src/buffer/seal.ts'
import { testContext } from '../support/component.ts'
import { keyFile } from '../support/keys.ts'
import { batchOf, documentsOf, text } from '../support/otlp.ts'

const Packing = z.strictObject(packingShape)
const silent = pino({ level: 'silent' })

function codecOf(
  settings: z.input<typeof Packing>,
  context: Partial<ConstructorParameters<typeof Codec>[1]> = {},
) {
  const codec = new Codec(Packing.parse(settings), { log: silent, ...context })
  codec.start()
  return codec
}

function requestOf(body: string): Buffer {
  const batch = batchOf([{ body: text(body) }])
  batch.identify(Buffer.alloc(32))
  return batch.encode(1e9)[0].bytes
}

const bodyOf = (codec: Codec, element: Buffer): unknown => documentsOf(codec.open(element))[0].body?.text

describe('encryption', () => {
  it.each(['zstd', 'none'] as const)('with compression %s gives back what was stored', (compression) => {
    const codec = codecOf({ compression, encryption: { key_file: keyFile() } })
    const element = codec.pack(requestOf('secret'))

    expect(bodyOf(codec, element)).toBe('secret')
    expect(element.includes('secret')).toBe(false)
  })

  it.each([
    ['32 bytes', (key: Buffer) => key],
    ['hex', (key: Buffer) => key.toString('hex')],
    ['base64 with a line end', (key: Buffer) => `${key.toString('base64')}\n`],
  ])('takes a key as %s, and it is the same key', (_, encode) => {
    const key = randomBytes(32)
    const element = codecOf({ encryption: { key_file: keyFile(key.toString('hex')) } }).pack(requestOf('a'))

    expect(bodyOf(codecOf({ encryption: { key_file: keyFile(encode(key)) } }), element)).toBe('a')
  })

  it('reads what was stored before it was switched on', () => {
    const codec = codecOf({ encryption: { key_file: keyFile() } })

    expect(bodyOf(codec, packElement(requestOf('old'), 'zstd'))).toBe('old')
    expect(bodyOf(codec, packElement(requestOf('older'), 'none'))).toBe('older')
  })

  it('seals with the active key and opens with all of them', () => {
    const [old, next] = [
      { id: 'old', file: keyFile() },
      { id: 'next', file: keyFile() },
    ]
    const before = codecOf({ encryption: { keys: [old] } })
    const during = codecOf({ encryption: { keys: [old, next] } })
    const after = codecOf({ encryption: { keys: [old, next], active: 'next' } })
    const first = before.pack(requestOf('first'))
    const second = during.pack(requestOf('second'))
    const third = after.pack(requestOf('third'))

    expect([first, second, third].map((element) => bodyOf(after, element))).toEqual([
      'first',
      'second',
      'third',
    ])
    expect(bodyOf(before, second)).toBe('second')
    expect(() => before.open(third)).toThrow(/the key "next"/)
  })

  it('waits for a missing key with an alarm, and finds it once it is in the file', async () => {
    const right = keyFile()
    const file = keyFile()
    const trouble = vi.fn<(problem: string | undefined) => void>()
    const element = codecOf({ encryption: { key_file: right } }).pack(requestOf('a'))
    const codec = codecOf({ encryption: { key_file: file } }, { trouble })

    expect(() => codec.open(element)).toThrow(MissingKeyError)
    expect(trouble).toHaveBeenLastCalledWith(expect.stringContaining('sealed with the key "default"'))
    copyFileSync(right, file)

    await vi.waitFor(() => expect(bodyOf(codec, element)).toBe('a'), { timeout: 5_000, interval: 50 })
    codec.stop()
  })

  it('says without any keys that one is missing, not that the element is broken', () => {
    const element = codecOf({ encryption: { key_file: keyFile() } }).pack(requestOf('a'))
    const codec = codecOf({})

    expect(() => codec.open(element)).toThrow(MissingKeyError)
    codec.stop()
  })

  it('does not start with a file that holds no key, or is not there', () => {
    expect(() => codecOf({ encryption: { key_file: keyFile('too short') } })).toThrow(
      /holds no key: expected 32 bytes, or the same in hex or base64; openssl rand -hex 32 makes one/,
    )
    expect(() => codecOf({ encryption: { key_file: '/nowhere/key' } })).toThrow(
      'the key file /nowhere/key does not exist: the buffer cannot be used without it',
    )
  })

  it('warns of a key file that others may read', () => {
    const lines: string[] = []
    const sink = new Writable({
      write(chunk, _, done) {
        lines.push(String(chunk))
        done()
      },
    })
    const [open, closed] = [keyFile(), keyFile()]
    chmodSync(open, 0o640)
    const encryption = {
      keys: [
        { id: 'a', file: open },
        { id: 'b', file: closed },
      ],
    }

    codecOf({ encryption }, { log: pino(sink) })

    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0])).toMatchObject({ level: 40, file: open, mode: '640' })
  })

  it.each([
    [{}, 'expected either key_file or keys'],
    [{ key_file: '/k', keys: [{ id: 'a', file: '/a' }] }, 'expected either key_file or keys'],
    [{ keys: [{ id: 'a', file: '/a' }], active: 'b' }, 'is the id of none of the keys'],
    [
      {
        keys: [
          { id: 'a', file: '/a' },
          { id: 'a', file: '/b' },
        ],
      },
      'two keys have the same id',
    ],
  ])('is refused with settings %j', (encryption, message) => {
    const { error } = Packing.safeParse({ encryption })

    expect(error?.issues.map((issue) => issue.message)).toEqual([message])
  })
})

describe('the figures of packing', () => {
  it('tell what compression saves', async () => {
    const context = testContext()
    const codec = codecOf({ compression_level: 3 }, { metrics: context.metrics })
    const request = requestOf('x'.repeat(10_000))
    const element = codec.pack(request)

    expect(await context.value('sluice_buffer_uncompressed_bytes_total')).toBe(request.length)
    expect(await context.value('sluice_buffer_stored_bytes_total')).toBe(element.length)
    expect(element.length * 10).toBeLessThan(request.length)
  })

  it('follow the level of compression', () => {
    const request = Buffer.concat(
      Array.from({ length: 300 }, (_, i) => requestOf(`user ${i * 7919} logged in`)),
    )

    expect(codecOf({ compression_level: 12 }).pack(request).length).toBeLessThan(
      codecOf({ compression_level: 1 }).pack(request).length,
    )
  })
})
