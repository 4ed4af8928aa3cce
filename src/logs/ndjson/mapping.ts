import type { BatchData } from '../data.ts'
import type { JsonWriter } from './json-writer.ts'

/** The shapes that documents can have, by the names that the Collector's exporter knows. */
export const MAPPING_MODES = ['otel', 'ecs', 'none', 'raw', 'bodymap'] as const
export type MappingMode = (typeof MAPPING_MODES)[number]

/** A valid record that cannot be a document as things are; the message says why, never what the record holds. */
export class UnfitError extends Error {
  override readonly name = 'UnfitError'
  /** A short word for metrics. */
  readonly reason: string

  constructor(reason: string, message: string) {
    super(message)
    this.reason = reason
  }
}

/**
 * How records become documents, one after the other. Of a batch it is told when the first record comes, of a scope
 * before the first record in it.
 */
export interface Mapping {
  /** Announces what most records are read from. */
  begin(bytes: Buffer): void
  /** Reads what the records of a scope have in common; what `out` held stays as it was. */
  enterScope(data: BatchData, scope: number, out: JsonWriter): void
  /** Finds the fields of the record at `[start, end)`; says whether some attribute steers the exporter. */
  read(bytes: Buffer, start: number, end: number): boolean
  /** Bytes that the record that was read may take besides six times its size and the line's room. */
  readonly room: number
  /**
   * Writes the record that was read, a line. `dataStream` stands in it as it is. Gives its `@timestamp` in epoch
   * milliseconds. Throws `UnfitError`.
   */
  write(out: JsonWriter, dataStream: Buffer, receivedMs: number): number
}
