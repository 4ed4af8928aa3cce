import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readUpTo } from '../../src/files.ts'
import { BEGINNING, type Position } from './position.ts'
import type { Quarantine, Range } from './quarantine.ts'
import { HEADER_BYTES, isTorn, RECORD_HEADER_BYTES, segmentFirst } from './segment.ts'
import { SegmentReader } from './segment-reader.ts'

/** A file of a log. */
export interface Segment {
  readonly path: string
  /** The number of its first element. */
  readonly first: number
  /** How many of its bytes are durable. */
  size: number
}

export interface Recovered {
  /** Oldest first. */
  readonly segments: Segment[]
  /** The first position that is still there, and the one after the last. */
  readonly start: Position
  readonly end: Position
}

/**
 * Finds what a log holds. Only the last segment can have been written to when the process ended, so only that one
 * is read through here and cut at its last whole record; others are checked when they are read.
 */
export async function recover(directory: string, quarantine: Quarantine): Promise<Recovered> {
  const segments = await listSegments(directory)
  let end: Position | undefined
  while (end === undefined && segments.length > 0) {
    const last = segments[segments.length - 1]
    const recovered = await recoverLast(last, quarantine)
    end = recovered.end
    if (!recovered.empty) continue
    // Tools for broken disks may still find something in one that could not be read.
    if (recovered.unreadable) await rename(last.path, `${last.path}.0.corrupt`)
    else await rm(last.path)
    segments.pop()
  }
  end ??= BEGINNING
  return { segments, end, start: segments.length === 0 ? end : await beginningOf(segments[0], end) }
}

async function listSegments(directory: string): Promise<Segment[]> {
  const segments: Segment[] = []
  for (const name of await readdir(directory)) {
    const first = segmentFirst(name)
    if (first === undefined) continue
    const path = join(directory, name)
    segments.push({ path, first, size: (await stat(path)).size })
  }
  return segments.sort((a, b) => a.first - b.first)
}

async function recoverLast(
  segment: Segment,
  quarantine: Quarantine,
): Promise<{ readonly end: Position | undefined; readonly empty: boolean; readonly unreadable: boolean }> {
  const { path, size } = segment
  const handle = await open(path, 'r+')
  try {
    const reader = await SegmentReader.open(handle)
    let end = reader.start
    const damages: Range[] = end === undefined ? [{ start: 0, end: Math.min(size, HEADER_BYTES) }] : []
    let whole = 0
    let unreadable = false
    for (let found = await reader.nextReadable(size); found; found = await reader.nextReadable(size)) {
      if (found.kind === 'damage') {
        damages.push(found)
        unreadable ||= found.unreadable === true
        continue
      }
      end = found.end
      whole = reader.offset
    }
    const tail = damages.at(-1)
    if (tail?.end === size && size > 0 && !unreadable) {
      const bytes = await readUpTo(handle, tail.start, Math.min(RECORD_HEADER_BYTES, size - tail.start))
      if (isTorn(bytes, size - tail.start)) {
        quarantine.torn(path, tail)
        damages.pop()
      }
    }
    for (const damage of damages) await quarantine.keep(path, damage)
    if (whole > 0 && whole < size) {
      if (!unreadable) {
        await handle.truncate(whole)
        await handle.sync()
      }
      segment.size = whole
    }
    return { end, empty: whole === 0, unreadable }
  } finally {
    await handle.close()
  }
}

/** The position of the first element of a segment that can be read; `end` is where the log ends. */
export async function beginningOf({ path, first, size }: Segment, end: Position): Promise<Position> {
  const handle = await open(path, 'r')
  try {
    const reader = await SegmentReader.open(handle)
    if (reader.start !== undefined) return reader.start
    for (let found = await reader.nextReadable(size); found; found = await reader.nextReadable(size)) {
      if (found.kind === 'element') return found.position
    }
    return { ...end, elements: first }
  } finally {
    await handle.close()
  }
}
