import { type Cut, cut } from './cut.ts'
import { type BatchData, isDropped, recordCount, recordsOf } from './data.ts'
import { type Extent, MEASURES, type Measure } from './extent.ts'
import { L, R, S } from './structure.ts'

/** The most that a record, resource or scope may hold; `Infinity` is no limit. */
export interface ContentLimits extends Extent {
  /** Whether what is over is cut, or the records concerned are dropped. */
  readonly whenOver: 'truncate' | 'refuse'
}

/** What was over the limits. */
export interface Limited {
  /** How many attributes were left out and how many keys, values and bodies were cut. */
  readonly cut: Readonly<Record<Measure, number>>
  /** How many records were dropped, by the limit that they were over. */
  readonly refused: Readonly<Record<Measure, number>>
}

/** How a batch is changed. */
interface Changes {
  readonly edit: (record: number, content: Buffer) => void
  readonly drop: (record: number) => void
}

/** Holds everything in a batch to limits. */
export function limitContent(data: BatchData, limits: ContentLimits, { edit, drop }: Changes): Limited {
  const limited = { cut: nothing(), refused: nothing() }
  const apply = (
    found: Cut | undefined,
    change: (content: Buffer) => void,
    records: () => Iterable<number>,
  ) => {
    if (found === undefined) return
    if (limits.whenOver === 'truncate') {
      change(found.content)
      for (const measure of MEASURES) limited.cut[measure] += found.counts[measure]
      return
    }
    const over = MEASURES.find((measure) => found.counts[measure] > 0) ?? 'value'
    for (const record of records()) {
      if (isDropped(data, record)) continue
      drop(record)
      limited.refused[over]++
    }
  }

  const { bytes, rows, structure } = data
  for (const [shape, table, columns, edits] of [
    ['resource', structure.resources, R, data.resourceEdits],
    ['scope', structure.scopes, S, data.scopeEdits],
  ] as const) {
    for (let at = 0; at < table.length; at += columns.STRIDE) {
      const start = table[at + columns.MESSAGE]
      if (start === -1) continue
      const index = at / columns.STRIDE
      const found = cut(bytes, start, table[at + columns.MESSAGE_END], shape, limits)
      apply(
        found,
        (content) => edits.set(index, content),
        () => recordsOf(shape, index, data),
      )
    }
  }
  for (let record = 0; record < recordCount(data); record++) {
    if (isDropped(data, record)) continue
    const row = record * L.STRIDE
    const found = cut(bytes, rows[row + L.START], rows[row + L.END], 'record', limits)
    apply(
      found,
      (content) => edit(record, content),
      () => [record],
    )
  }
  return limited
}

/** Whether anything in a batch can be over the limits. */
export function isOver(extent: Extent, limits: Extent): boolean {
  return (
    extent.attributes > limits.attributes ||
    extent.key > limits.key ||
    extent.value > limits.value ||
    extent.body > limits.body
  )
}

const nothing = (): Record<Measure, number> => ({ attributes: 0, key: 0, value: 0, body: 0 })
