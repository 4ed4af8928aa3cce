/** Reads texts in the Huffman code of RFC 7541, section 5.2 and appendix B, half a byte at a time. */

/** Bits of the code of each byte, and of the end that no text may hold. The code is canonical: they tell all of it. */
const LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28,
  28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7,
  8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19,
  13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13,
  28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21,
  22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23,
  22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25,
  25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
]
const END = 256
const LONGEST = 30
/** What may follow the last byte, to fill one: the beginning of the code of the end, which is all ones. */
const MAX_PADDING_BITS = 7

/** A place in the tree: what comes next with a bit of 0 and of 1, a place or a byte. */
interface Place {
  readonly next: [Place | number | undefined, Place | number | undefined]
  readonly number: number
  /** Whether a text may end here. */
  readonly final: boolean
}

/** By place and half a byte: the next place, the byte that is complete with it, and whether there is one. */
const STEP_BITS = 4
const PLACE = 0xff
const BYTE_SHIFT = 8
const HAS_BYTE = 1 << 16
const INVALID = 1 << 17
const places = tree()
const STEPS = stepsOf(places)
const FINAL = Uint8Array.from(places, ({ final }) => (final ? 1 : 0))

/** Texts of one block come one after the other: they are read into the same memory. */
let scratch = Buffer.alloc(0)

/** The text between `start` and `end`, in characters of one byte; undefined where it is not in the code. */
export function huffmanText(bytes: Uint8Array, start: number, end: number): string | undefined {
  // The shortest code has five bits.
  const most = (end - start) * 2
  if (scratch.length < most) scratch = Buffer.allocUnsafeSlow(most)
  let place = 0
  let written = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at]
    const first = STEPS[(place << STEP_BITS) | (byte >> STEP_BITS)]
    if ((first & HAS_BYTE) !== 0) scratch[written++] = first >> BYTE_SHIFT
    const second = STEPS[((first & PLACE) << STEP_BITS) | (byte & 0x0f)]
    if ((second & HAS_BYTE) !== 0) scratch[written++] = second >> BYTE_SHIFT
    if (((first | second) & INVALID) !== 0) return undefined
    place = second & PLACE
  }
  return FINAL[place] === 1 ? scratch.toString('latin1', 0, written) : undefined
}

/** All places, the root first. There are as many as bytes, for the code has no gaps. */
function tree(): Place[] {
  const places: Place[] = []
  const add = (final: boolean): Place => {
    const place: Place = { next: [undefined, undefined], number: places.length, final }
    places.push(place)
    return place
  }
  const root = add(true)
  let code = 0
  for (let length = 1; length <= LONGEST; length++, code <<= 1) {
    for (const [symbol, bits] of LENGTHS.entries()) {
      if (bits !== length) continue
      let place = root
      for (let bit = length - 1; bit > 0; bit--) {
        const which = (code >> bit) & 1
        const depth = length - bit
        const ones = place.final && which === 1 && depth <= MAX_PADDING_BITS
        const next = (place.next[which] ??= add(ones))
        if (typeof next === 'number') throw new Error('the code is not free of prefixes')
        place = next
      }
      place.next[code & 1] = symbol
      code++
    }
  }
  return places
}

function stepsOf(all: readonly Place[]): Uint32Array {
  const steps = new Uint32Array(all.length << STEP_BITS)
  for (const place of all)
    for (let half = 0; half < 1 << STEP_BITS; half++)
      steps[(place.number << STEP_BITS) | half] = stepOf(all[0], place, half)
  return steps
}

function stepOf(root: Place, from: Place, half: number): number {
  let place = from
  let byte = 0
  for (let bit = STEP_BITS - 1; bit >= 0; bit--) {
    const next = place.next[(half >> bit) & 1]
    if (next === undefined || next === END) return INVALID
    if (typeof next === 'number') {
      byte = HAS_BYTE | (next << BYTE_SHIFT)
      place = root
    } else place = next
  }
  return byte | place.number
}
