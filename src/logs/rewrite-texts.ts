import { checkResource, checkScope } from './check.ts'
import { type BatchData, isDropped, recordCount, recordsOf } from './data.ts'
import { EVERYTHING, type RewriteText, rewriteMessage, SHAPES } from './rewrite.ts'
import { EDITED, L, LONG_INT, R, S } from './structure.ts'
import { WireReader } from './wire.ts'

/** Collects positions in bytes where something may be; the text around each is then looked at in full. */
export type Scan = (bytes: Buffer, start: number, end: number, found: (position: number) => void) => void

/** What is done to a batch whose texts are rewritten. */
export interface TextChanges {
  readonly data: BatchData
  readonly scan: Scan
  readonly rewrite: RewriteText
  readonly edit: (record: number, content: Buffer) => void
  readonly drop: (record: number) => void
}

/** Part of a batch's bytes, as they came. */
interface Place {
  readonly start: number
  readonly end: number
  readonly integers: boolean
}

/** Rewrites texts of records, scopes and resources; what cannot be rewritten is dropped with all records it concerns. */
export function rewriteTexts({ data, scan, rewrite, edit, drop }: TextChanges): void {
  const { bytes, rows, edits, structure } = data
  const positions = positionsIn(bytes, scan)
  const rewritten = (
    edited: Buffer | undefined,
    { start, end, integers }: Place,
    shape: keyof typeof SHAPES,
  ): Buffer | undefined =>
    edited
      ? rewriteMessage(edited, 0, edited.length, SHAPES[shape], rewrite, EVERYTHING)
      : rewriteMessage(bytes, start, end, SHAPES[shape], rewrite, { positions, integers })

  const { records, outside } = touchedBy(positions, data)
  for (const record of records) {
    if (isDropped(data, record)) continue
    const row = record * L.STRIDE
    try {
      const integers = (rows[row + L.STATE] & LONG_INT) !== 0
      const place = { start: rows[row + L.START], end: rows[row + L.END], integers }
      const content = rewritten(edits.get(record), place, 'record')
      if (content !== undefined) edit(record, content)
    } catch {
      drop(record)
    }
  }

  const rewriteContexts = (shape: 'resource' | 'scope'): void => {
    const [table, columns, changes, check] =
      shape === 'resource'
        ? ([structure.resources, R, data.resourceEdits, checkResource] as const)
        : ([structure.scopes, S, data.scopeEdits, checkScope] as const)
    for (let at = 0; at < table.length; at += columns.STRIDE) {
      const index = at / columns.STRIDE
      const start = table[at + columns.MESSAGE]
      if (start === -1) continue
      try {
        const place = { start, end: table[at + columns.MESSAGE_END], integers: data.contextLongInts }
        const content = rewritten(changes.get(index), place, shape)
        if (content === undefined) continue
        check(new WireReader(content), content.length)
        changes.set(index, content)
      } catch {
        for (const record of recordsOf(shape, index, data)) drop(record)
      }
    }
  }
  if (!outside && !data.contextLongInts && data.resourceEdits.size + data.scopeEdits.size === 0) return
  rewriteContexts('resource')
  rewriteContexts('scope')
}

function positionsIn(bytes: Buffer, scan: Scan): Int32Array {
  const found: number[] = []
  scan(bytes, 0, bytes.length, (position) => found.push(position))
  return Int32Array.from(found).sort()
}

/** The records that may change, and whether anything was found outside of records. */
function touchedBy(
  positions: Int32Array,
  data: BatchData,
): { readonly records: ReadonlySet<number>; readonly outside: boolean } {
  const records = new Set<number>()
  let outside = false
  for (const position of positions) {
    const record = recordAt(position, data)
    if (record === -1) outside = true
    else records.add(record)
  }
  const count = recordCount(data)
  for (let record = 0; record < count; record++) {
    if ((data.rows[record * L.STRIDE + L.STATE] & (EDITED | LONG_INT)) !== 0) records.add(record)
  }
  return { records, outside }
}

/** The record whose content holds the byte, or -1: it lies in a resource or scope. */
function recordAt(position: number, data: BatchData): number {
  const { rows } = data
  let low = 0
  let high = recordCount(data) - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    if (position < rows[middle * L.STRIDE + L.START]) high = middle - 1
    else if (position >= rows[middle * L.STRIDE + L.END]) low = middle + 1
    else return middle
  }
  return -1
}
