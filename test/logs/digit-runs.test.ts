import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findDigitRuns, SHORTEST_RUN } from '../../src/logs/digit-runs.ts'
import { runs } from '../support/arbitraries.ts'

/** Mostly digits, separators and bytes like them, so that runs of every length and at every place come up. */
const bytes = fc
  .array(
    fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...'0123456789'.split('')) },
      fc.constantFrom(...' -ax/:'.split('')),
    ),
    {
      maxLength: 300,
    },
  )
  .map((characters) => Buffer.from(characters.join(''), 'latin1'))

/** Numbers to be found: eleven digits or more, single separators between them allowed. */
const NUMBERS = /[0-9](?:[ -]?[0-9]){10,}/g

function positions(text: Buffer, start: number, end: number): number[] {
  const found: number[] = []
  findDigitRuns(text, start, end, (position) => found.push(position))
  return found
}

describe.each([
  ['a whole buffer', (text: Buffer) => positions(text, 0, text.length)],
  // Only a whole buffer is a matter for the kernel.
  [
    'a part of one',
    (text: Buffer) =>
      positions(Buffer.concat([Buffer.from('x'), text, Buffer.from('x')]), 1, text.length + 1).map(
        (at) => at - 1,
      ),
  ],
])('digit runs in %s', (_, find) => {
  it('have a position in every piece that could be a number', () => {
    fc.assert(
      fc.property(bytes, (text) => {
        const found = find(text)
        for (const { index, 0: number } of text.toString('latin1').matchAll(NUMBERS)) {
          for (let from = index; from + SHORTEST_RUN <= index + number.length; from++)
            expect(found.some((at) => at >= from && at < from + SHORTEST_RUN)).toBe(true)
        }
      }),
      runs(1000),
    )
  })

  it('have none where there are too few digits', () => {
    expect(find(Buffer.from('1234567890 a 1 2 3 4 5 6 7 8 9 0 x 12345  678901'))).toEqual([])
    expect(find(Buffer.from('- '.repeat(200)))).toEqual([])
  })
})
