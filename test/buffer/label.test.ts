import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openElement, packElement } from '../../src/buffer/element.ts'
import { readLabel, writeLetter } from '../../src/buffer/label.ts'
import { LogBatch } from '../../src/logs/batch.ts'
import { documentsOf } from '../support/otlp.ts'
import { makeRequest } from '../support/requests.ts'

const LETTER = {
  reason: 'handed out 5 times',
  pipeline: 'logs/drain',
  buriedMs: 1_700_000_000_123,
  stream: 'shop',
}

/** As the scripts of the redis connector write it. */
function labelled(
  element: Buffer,
  deliveries: number,
  records: number,
  letter: Uint8Array = Buffer.alloc(0),
): Buffer {
  const fixed = Buffer.from([0x08, deliveries, 0x15, 0, 0, 0, 0, 0x18, 0])
  fixed.writeUInt32LE(records, 3)
  const message = Buffer.concat([fixed, letter])
  if (element.readUInt32LE(0) === 0xfd2fb528) {
    const head = Buffer.alloc(8)
    head.writeUInt32LE(0x184d2a5e, 0)
    head.writeUInt32LE(message.length, 4)
    return Buffer.concat([head, message, element])
  }
  const size = message.length
  const length = size < 128 ? [size] : [(size % 128) + 128, Math.floor(size / 128)]
  return Buffer.concat([Buffer.from([0x8a, 0x7d, ...length]), message, element])
}

function element(compression: 'zstd' | 'none'): Buffer {
  const batch = LogBatch.decode(makeRequest({ records: 3 }))
  batch.identify(Buffer.alloc(32))
  return packElement(batch.encode(Number.POSITIVE_INFINITY)[0].bytes, compression)
}

describe.each(['zstd', 'none'] as const)('a label before an element (%s)', (compression) => {
  it('tells deliveries and records, and does not change what the element holds', () => {
    const plain = element(compression)

    const marked = labelled(plain, 4, 3)

    expect(readLabel(marked).label).toEqual({ deliveries: 4, records: 3 })
    expect(readLabel(marked).content.equals(plain)).toBe(true)
    expect(documentsOf(openElement(marked))).toEqual(documentsOf(openElement(plain)))
    expect(openElement(marked).sealed).toBe(true)
  })

  it('tells why, where, when and out of which stream an element was buried', () => {
    const marked = labelled(element(compression), 5, 3, writeLetter(LETTER))

    expect(readLabel(marked).label).toEqual({ deliveries: 5, records: 3, letter: LETTER })
  })

  it('may stand before another one, of which only the first counts', () => {
    const plain = element(compression)

    const marked = labelled(labelled(plain, 5, 3, writeLetter(LETTER)), 1, 3)

    expect(readLabel(marked).label).toEqual({ deliveries: 1, records: 3 })
    expect(readLabel(marked).content.equals(plain)).toBe(true)
  })
})

describe('readLabel', () => {
  it('finds none in an element as it was pushed', () => {
    for (const plain of [element('zstd'), element('none'), makeRequest({ records: 1 })]) {
      expect(readLabel(plain)).toEqual({ label: undefined, content: plain })
    }
  })

  it('throws for no bytes whatever, and only ever takes from their front', () => {
    const starts = [[0x5e, 0x2a, 0x4d, 0x18], [0x8a, 0x7d], []].map((bytes) => Buffer.from(bytes))
    fc.assert(
      fc.property(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 40 }), (start, rest) => {
        const bytes = Buffer.concat([start, rest])

        const { content } = readLabel(bytes)

        expect(bytes.subarray(bytes.length - content.length).equals(content)).toBe(true)
      }),
    )
  })
})
