import { kernel } from './kernel/kernel.ts'

/** The shortest run that is found. */
export const SHORTEST_RUN = 11

/**
 * Finds runs of digits in `[start, end)`, with single spaces or hyphens between digits, that hold `SHORTEST_RUN` digits
 * or more. Gives so many positions of each that every piece of `SHORTEST_RUN` bytes has one in it.
 */
export function findDigitRuns(
  bytes: Buffer,
  start: number,
  end: number,
  found: (position: number) => void,
): void {
  if (kernel !== undefined && start === 0 && end === bytes.length && kernel.load(bytes)) {
    const hits = kernel.exports.digitRuns(end)
    if (hits >= 0) {
      if (hits > 0) kernel.integers(kernel.exports.HITS, hits).forEach((hit) => found(hit))
      return
    }
  }
  scan(bytes, start, end, found)
}

function scan(bytes: Buffer, start: number, end: number, found: (position: number) => void): void {
  // Everything looked for is at least 11 bytes long, so every tenth is enough to hit it.
  const step = SHORTEST_RUN - 1
  for (let at = start + step; at < end; at += step) {
    const kind = KINDS[bytes[at]]
    if (kind === OTHER || (kind === SEPARATOR && KINDS[bytes[at + 1]] !== DIGIT)) continue
    let left = at
    while (left > start && continuesBefore(bytes, left)) left--
    let right = at
    while (right < end && continuesAt(bytes, right)) right++
    if (right - left >= SHORTEST_RUN && countDigits(bytes, left, right) >= SHORTEST_RUN) {
      for (let hit = left; hit < right; hit += SHORTEST_RUN) found(hit)
    }
    if (right - at >= step) at += Math.floor((right - at) / step) * step
  }
}

const OTHER = 0
const DIGIT = 1
const SEPARATOR = 2
const KINDS = new Uint8Array(256)
KINDS.fill(DIGIT, 0x30, 0x3a)
KINDS[0x20] = KINDS[0x2d] = SEPARATOR

/** A digit, or a single separator between two. */
function continuesAt(bytes: Buffer, at: number): boolean {
  const kind = KINDS[bytes[at]]
  return kind === DIGIT || (kind === SEPARATOR && KINDS[bytes[at + 1]] === DIGIT)
}

function continuesBefore(bytes: Buffer, at: number): boolean {
  const kind = KINDS[bytes[at - 1]]
  return kind === DIGIT || (kind === SEPARATOR && KINDS[bytes[at - 2]] === DIGIT)
}

function countDigits(bytes: Buffer, start: number, end: number): number {
  let digits = 0
  for (let at = start; at < end; at++) if (KINDS[bytes[at]] === DIGIT) digits++
  return digits
}
