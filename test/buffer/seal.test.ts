import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSealed, MissingKeyError, Opener, Sealer, sealKey } from '../../src/buffer/seal.ts'
import { MalformedError } from '../../src/logs/wire.ts'

const KEY = sealKey('2026-01', Buffer.alloc(32, 1))
const OTHER = sealKey('2026-02', Buffer.alloc(32, 2))
const opener = new Opener((fingerprint) => [KEY, OTHER].find((key) => key.fingerprint === fingerprint))

describe('a seal', () => {
  it('gives back whatever was sealed, under whichever of the keys', () => {
    const sealers = [new Sealer(KEY), new Sealer(OTHER)]
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), fc.nat({ max: 1 }), (bytes, which) => {
        const sealed = sealers[which].seal(Buffer.from(bytes))

        expect(isSealed(sealed)).toBe(true)
        expect(opener.open(sealed)).toEqual(Buffer.from(bytes))
      }),
    )
  })

  it('shows nothing of what is in it', () => {
    const sealed = new Sealer(KEY).seal(Buffer.from('card 4111 1111 1111 1111'))

    expect(sealed.includes('4111')).toBe(false)
  })

  it('never looks the same twice, and does not share a derived key with another sealer', () => {
    const one = new Sealer(KEY)
    const salt = (sealed: Buffer): string => sealed.toString('hex', 21, 37)
    const sealed = [
      one.seal(Buffer.from('a')),
      one.seal(Buffer.from('a')),
      new Sealer(KEY).seal(Buffer.from('a')),
    ]

    expect(new Set(sealed.map((element) => element.toString('hex'))).size).toBe(3)
    expect(salt(sealed[0])).toBe(salt(sealed[1]))
    expect(salt(sealed[2])).not.toBe(salt(sealed[0]))
  })

  it('is refused when any byte behind its magic has changed, or it is cut short', () => {
    const sealed = new Sealer(KEY).seal(randomBytes(40))
    const refused = (element: Buffer): void => {
      const error = attempt(() => opener.open(element))
      expect(error instanceof MalformedError || error instanceof MissingKeyError, String(error)).toBe(true)
    }
    for (let at = 4; at < sealed.length; at++) {
      const changed = Buffer.from(sealed)
      changed[at] ^= 1
      refused(changed)
    }
    for (let length = 4; length < sealed.length; length++) refused(sealed.subarray(0, length))
  })

  it('names the key that is missing', () => {
    const sealed = new Sealer(sealKey('2025-12', Buffer.alloc(32, 3))).seal(Buffer.from('a'))

    expect(() => opener.open(sealed)).toThrow(/the key "2025-12" \(fingerprint [0-9a-f]{16}\)/)
    expect(() => opener.open(sealed)).toThrow(MissingKeyError)
  })

  it('opens large elements whose memory is used again', () => {
    const sealer = new Sealer(KEY)
    const contents = Array.from({ length: 5 }, () => randomBytes(200_000))
    const sealed = contents.map((content) => sealer.seal(content))

    expect(sealed.map((element) => opener.open(element).equals(contents[sealed.indexOf(element)]))).toEqual(
      Array(5).fill(true),
    )
  })
})

function attempt(action: () => unknown): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  return undefined
}
