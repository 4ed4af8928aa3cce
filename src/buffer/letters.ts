import { createHash } from 'node:crypto'
import type { LogBatch } from '../logs/batch.ts'
import { MalformedError } from '../logs/wire.ts'
import type { KeptLetter, ReplayedElement } from './admin.ts'
import type { Codec } from './codec.ts'
import { readLabel } from './label.ts'
import { MissingKeyError } from './seal.ts'

const ID_LENGTH = 12

/** What a dead letter is called: the beginning of the SHA-256 of what is stored, the same wherever and whenever it is listed. */
export function letterId(element: Buffer): string {
  return createHash('sha256').update(element).digest('hex').slice(0, ID_LENGTH)
}

/** A dead letter, opened as far as that is possible. */
export interface Letter {
  readonly id: string
  readonly kept: KeptLetter
  readonly reason: string
  /** The pipeline it was lost to; undefined where nobody wrote that down. */
  readonly pipeline: string | undefined
  readonly buriedMs: number | undefined
  /** Undefined when it cannot be opened. */
  readonly batch: LogBatch | undefined
}

export function readLetter(kept: KeptLetter, codec: Codec): Letter {
  const { batch, problem } = open(kept.element, codec)
  const letter = readLabel(kept.element).label?.letter ?? batch?.letter
  return {
    id: letterId(kept.element),
    kept,
    reason: letter?.reason ?? problem ?? 'was buried as it is',
    pipeline: letter?.pipeline,
    buriedMs: letter?.buriedMs,
    batch,
  }
}

/**
 * What a letter becomes when it goes back into a queue: the same records, with the same ids, positions and edits, as
 * they were when they were refused. What was buried as it is goes back as it is.
 */
export function elementsOf({ kept, batch }: Letter, codec: Codec, elementBytes: number): ReplayedElement[] {
  if (batch?.letter === undefined) {
    const { content } = readLabel(kept.element)
    return [{ bytes: content, records: batch?.size ?? 0, foreign: batch?.sealed !== true }]
  }
  return packed(batch, codec, elementBytes)
}

/** Records on their way back into a queue, as its elements. */
export function packed(batch: LogBatch, codec: Codec, elementBytes: number): ReplayedElement[] {
  return batch
    .encode(elementBytes)
    .map(({ bytes, records }) => ({ bytes: codec.pack(bytes), records, foreign: false }))
}

/** Log records that a dead letter counts for: of what was buried as it is, only its label knows. */
export function recordsOf(element: Buffer, codec: Codec): number {
  const { label } = readLabel(element)
  return label?.records ?? open(element, codec).batch?.size ?? 0
}

function open(element: Buffer, codec: Codec): { readonly batch?: LogBatch; readonly problem?: string } {
  try {
    return { batch: codec.open(element) }
  } catch (error) {
    if (error instanceof MissingKeyError) return { problem: error.message }
    if (error instanceof MalformedError) return { problem: `undecodable: ${error.message}` }
    throw error
  }
}
