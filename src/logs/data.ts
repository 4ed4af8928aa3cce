import type { Extent } from './extent.ts'
import { DROPPED, L, R, S, type Structure } from './structure.ts'

/** A request, or the piece of one, that a batch carries: records of one part share a batch id. */
export interface Part {
  /** Time prefix and batch id; known once the batch is identified. */
  id: Uint8Array | undefined
  /** Time of the first record as received, epoch milliseconds: what the id starts with. */
  readonly timeMs: number
  /** Oldest observed time, epoch milliseconds; the time of receipt where records have none. */
  readonly observedMs: number
  readonly receivedMs: number
  readonly letter?: { readonly reason: string; readonly pipeline: string; readonly buriedMs: number }
  /** When the records had been buried, where they came back from the dead letters; epoch milliseconds. */
  readonly lastBuriedMs?: number
  /** Whose records they are, by the credential that they came with. */
  readonly tenant?: string
}

/** The inside of a `LogBatch`, for `src/logs/` only. */
export interface BatchData {
  readonly bytes: Buffer
  /** The bytes are a buffer element: every ResourceLogs has an envelope before it. */
  readonly sealed: boolean
  readonly structure: Structure
  /** A resource or scope holds, or in a batch out of a buffer may hold, an integer of ten digits or more. */
  readonly contextLongInts: boolean
  /** The most that it holds of what can be limited; unknown of a batch out of a buffer. */
  readonly extent: Extent | undefined
  /** The record table; a batch that shares bytes with another has its own. */
  readonly rows: Int32Array
  readonly parts: readonly Part[]
  /** New contents of records, Resource and InstrumentationScope messages, by row number. */
  readonly edits: Map<number, Buffer>
  readonly resourceEdits: Map<number, Buffer>
  readonly scopeEdits: Map<number, Buffer>
  live: number
}

export const resourceCount = (data: BatchData): number => data.structure.resources.length / R.STRIDE
export const scopeCount = (data: BatchData): number => data.structure.scopes.length / S.STRIDE
export const recordCount = (data: BatchData): number => data.rows.length / L.STRIDE

/** The first record of a scope; that of one past the last scope is the number of records. */
export function firstRecordOf(data: BatchData, scope: number): number {
  const { scopes } = data.structure
  return scope * S.STRIDE < scopes.length ? scopes[scope * S.STRIDE + S.FIRST] : recordCount(data)
}

export function partOf(data: BatchData, record: number): Part {
  const { resources, scopes } = data.structure
  const scope = data.rows[record * L.STRIDE + L.SCOPE]
  const resource = scopes[scope * S.STRIDE + S.RESOURCE]
  return data.parts[resources[resource * R.STRIDE + R.PART]]
}

export const isDropped = (data: BatchData, record: number): boolean =>
  (data.rows[record * L.STRIDE + L.STATE] & DROPPED) !== 0

/** The records that a resource or scope is said of. */
export function* recordsOf(shape: 'resource' | 'scope', index: number, { rows, structure }: BatchData) {
  for (let row = 0; row < rows.length; row += L.STRIDE) {
    const scope = rows[row + L.SCOPE]
    const owner = shape === 'scope' ? scope : structure.scopes[scope * S.STRIDE + S.RESOURCE]
    if (owner === index) yield row / L.STRIDE
  }
}
