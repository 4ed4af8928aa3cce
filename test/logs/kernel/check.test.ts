import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makePayload } from '../../../bench/payload.ts'
import { checkInFull, checkInKernel } from '../../../src/logs/check-request.ts'
import { damage, flips, runs, sample } from '../../support/arbitraries.ts'

describe('the check in the kernel', () => {
  it('takes what an SDK sends', () => {
    expect(checkInKernel(makePayload({ records: 100, seed: 1 }))?.structure.records.length).toBeGreaterThan(0)
  })

  it('finds what the check in full finds in whatever it takes, damaged or not', () => {
    let taken = 0
    fc.assert(
      fc.property(sample, flips, ({ bytes }, changes) => {
        const request = damage(bytes, changes)
        const found = checkInKernel(request)
        if (found === undefined) return
        taken++
        expect(found).toEqual(checkInFull(request))
      }),
      runs(500),
    )
    expect(taken, 'most of the samples are usual enough').toBeGreaterThan(50)
  })

  it.each([
    ['overlong', [0xc0, 0x80]],
    ['overlong in three bytes', [0xe0, 0x9f, 0xbf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['past the last code point', [0xf4, 0x90, 0x80, 0x80]],
    ['cut short', [0x61, 0xe4, 0xb8]],
    ['a stray continuation', [0x80]],
  ])('leaves text that is no UTF-8 to the check in full: %s', (_, text) => {
    expect(checkInKernel(requestWithBody(Buffer.from(text)))).toBeUndefined()
  })

  it('takes any UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 80 }), (text) => {
        expect(checkInKernel(requestWithBody(Buffer.from(text)))).toBeDefined()
      }),
      runs(500),
    )
  })
})

/** A request with one record that has a body of less than 100 bytes. */
function requestWithBody(text: Buffer): Buffer {
  let message = text
  for (const tag of [0x0a, 0x2a, 0x12, 0x12, 0x0a]) {
    const head =
      message.length < 0x80
        ? [tag, message.length]
        : [tag, (message.length & 0x7f) | 0x80, message.length >> 7]
    message = Buffer.concat([Buffer.from(head), message])
  }
  return message
}
