import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HEADER_BYTES, RECORD_HEADER_BYTES } from '../../../connectors/disk/segment.ts'

/** An element of a disk buffer, by where its record lies in the segment. */
export interface Stored {
  readonly start: number
  readonly end: number
  readonly payload: Buffer
}

export interface SegmentFile {
  readonly path: string
  readonly bytes: Buffer
  readonly stored: readonly Stored[]
}

/** Reads the segments of a buffer that no process uses, oldest first. What was cut short at an end is left out. */
export function readSegments(folder: string): SegmentFile[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.seg'))
  return names.sort().map((name) => {
    const path = join(folder, name)
    const bytes = readFileSync(path)
    const stored: Stored[] = []
    for (let start = HEADER_BYTES; start + RECORD_HEADER_BYTES <= bytes.length; ) {
      const end = start + 8 + bytes.readUInt32LE(start)
      if (end > bytes.length) break
      stored.push({ start, end, payload: bytes.subarray(start + RECORD_HEADER_BYTES, end) })
      start = end
    }
    return { path, bytes, stored }
  })
}

export interface Damage {
  /** Elements that are not whole any more. */
  readonly hit: ReadonlySet<Stored>
  /** Bytes that are left of those. */
  readonly bytes: number
}

/**
 * Cuts, flips and zeroes in segment files, by chance: once at the end of the last one, as a crash does, and up to three
 * times anywhere in their records, as a bad disk does.
 */
export function damageSegments(segments: readonly SegmentFile[], random: () => number): Damage {
  const below = (limit: number): number => Math.floor(random() * limit)
  const contents = segments.map(({ bytes }) => Buffer.from(bytes))
  const place = (): { content: Buffer; at: number } => {
    const content = contents[below(contents.length)]
    return { content, at: HEADER_BYTES + below(content.length - HEADER_BYTES) }
  }
  for (let strokes = below(4); strokes > 0; strokes--) {
    const { content, at } = place()
    if (random() < 0.5) content[at] ^= 1 << below(8)
    else content.fill(0, at, Math.min(content.length, at + 1 + below(300)))
  }
  const last = contents.length - 1
  const tail = Math.min(contents[last].length - HEADER_BYTES, 1 + below(600))
  const at = contents[last].length - tail
  if (random() < 0.6) contents[last] = contents[last].subarray(0, at)
  else contents[last].fill(0, at)
  for (const [index, { path }] of segments.entries()) writeFileSync(path, contents[index])
  return compare(segments, contents)
}

function compare(segments: readonly SegmentFile[], contents: readonly Buffer[]): Damage {
  const hit = new Set<Stored>()
  let bytes = 0
  for (const [index, segment] of segments.entries()) {
    const content = contents[index]
    for (const stored of segment.stored) {
      const { start, end } = stored
      if (content.subarray(start, end).equals(segment.bytes.subarray(start, end))) continue
      hit.add(stored)
      bytes += Math.max(0, Math.min(end, content.length) - start)
    }
  }
  return { hit, bytes }
}
