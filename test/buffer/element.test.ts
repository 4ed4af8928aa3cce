import { buffer } from 'node:stream/consumers'
import { createZstdCompress, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { openElement, packElement } from '../../src/buffer/element.ts'
import { batchOf, documentsOf, text } from '../support/otlp.ts'

const KEY = Buffer.alloc(32, 1)

function requestOf(...bodies: string[]): Buffer {
  const batch = batchOf(bodies.map((body) => ({ body: text(body) })))
  batch.identify(KEY)
  return batch.encode(1e9)[0].bytes
}

const bodies = (element: Buffer): unknown[] => documentsOf(openElement(element)).map(({ body }) => body?.text)

describe('a buffer element', () => {
  it.each(['zstd', 'none'] as const)('with compression %s gives back the requests in it', (compression) => {
    expect(bodies(packElement(Buffer.concat([requestOf('a', 'b'), requestOf('c')]), compression))).toEqual([
      'a',
      'b',
      'c',
    ])
  })

  it('may be several zstd frames one after the other', () => {
    const frames = Buffer.concat([zstdCompressSync(requestOf('a')), zstdCompressSync(requestOf('b'))])
    expect(bodies(frames)).toEqual(['a', 'b'])
  })

  it.each([1, 100, 300, 60_000, 70_000, 1_000_000])(
    'gives back a text of %d bytes, whether the frame tells its size or not',
    async (size) => {
      const body = 'x'.repeat(size)
      const streamed = createZstdCompress()
      streamed.end(requestOf(body))
      expect(bodies(packElement(requestOf(body), 'zstd'))).toEqual([body])
      expect(bodies(await buffer(streamed))).toEqual([body])
    },
  )

  it.each([
    ['cut short', (element: Buffer) => element.subarray(0, element.length - 5)],
    ['followed by something else', (element: Buffer) => Buffer.concat([element, Buffer.from('junk')])],
    ['with a damaged byte', (element: Buffer) => Buffer.from(element).fill(0xff, 6, 12)],
  ])('is refused when it is %s', (_, damage) => {
    const element = packElement(requestOf('x'.repeat(500)), 'zstd')
    expect(() => openElement(damage(element))).toThrow('the zstd frame is damaged')
  })
})
