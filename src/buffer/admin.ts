import type { Logger } from 'pino'
import type { LogBatch } from '../logs/batch.ts'
import type { Codec } from './codec.ts'
import type { Element } from './group-commit.ts'

/**
 * A buffer as an operator works on it, beside the processes that fill and empty it. A crash leaves a dead letter
 * where it was or where it was to go, at worst in both places, where its ids make it harmless.
 */
export interface BufferAdmin {
  /** Packs and opens elements as the settings say. */
  readonly codec: Codec
  /** Unpacked bytes of an element. */
  readonly elementBytes: number
  stats(): Promise<BufferStats>
  /** The oldest elements of a queue as stored, without taking them. */
  peek(queue: QueueName, limit: number): Promise<readonly Buffer[]>
  /** Deletes what waits in a queue, but not what a drain holds. */
  purge(queue: QueueName): Promise<Amount>
  /** The dead letters that are there now, oldest first; those that go meanwhile may be missed, others are not. */
  letters(): AsyncIterable<KeptLetter>
  /** Puts `elements` at the end of a queue and takes the letter away, in one. False when it was gone already. */
  replay(letter: KeptLetter, queue: QueueName, elements: readonly ReplayedElement[]): Promise<boolean>
  /** Deletes a letter. False when it was gone already. */
  drop(letter: KeptLetter): Promise<boolean>
  /** Puts records that were kept elsewhere at the end of a pipeline's queue, with the ids they have; resolves once they are durable. */
  enqueue(group: string, batch: LogBatch): Promise<void>
  close(): Promise<void>
}

/** Dead letters that an exporter keeps at its destination. */
export interface LetterArchive {
  /** Those that are there now, oldest first, a page at a time; at least those buried within `times`. */
  pages(times: Times): AsyncIterable<readonly KeptLetter[]>
  /** Deletes letters. Resolves with how many of them were there; throws when some could not be deleted. */
  remove(letters: readonly KeptLetter[]): Promise<number>
  close(): Promise<void>
}

/** Epoch milliseconds, from `since` to before `until`. */
export interface Times {
  readonly since?: number | undefined
  readonly until?: number | undefined
}

/** What a connector needs to be administered. */
export interface AdminContext {
  /** Every pipeline of the whole file that reads from the connector. */
  readonly groups: readonly string[]
  readonly log: Logger
}

export interface QueueName {
  /** Empty where a buffer has no streams. */
  readonly stream: string
  /** The pipeline that reads from it. */
  readonly group: string
}

export interface Amount {
  readonly elements: number
  readonly records: number
  /** As stored. */
  readonly bytes: number
}

export interface QueueStats extends QueueName, Amount {
  /** Elements that drains hold. */
  readonly inFlight: number
  /** When the oldest batch came, epoch milliseconds; undefined where there is none, or none that can be read. */
  readonly oldestMs: number | undefined
  /** Log records that came in and left since the buffer was made: two looks tell how fast. */
  readonly pushed: number
  readonly left: number
}

export interface BufferStats {
  readonly queues: readonly QueueStats[]
  readonly dead: readonly (Amount & { readonly stream: string })[]
  /** Bytes in use, and those from which on pushes are refused; undefined without a limit. */
  readonly room: { readonly used: number; readonly limit: number } | undefined
}

/** What a dead letter becomes in a queue. */
export interface ReplayedElement extends Element {
  /** Another tool made it: nobody counted it as it came. */
  readonly foreign: boolean
}

/** A dead letter as stored. */
export interface KeptLetter {
  /** What the connector finds it by. */
  readonly key: string
  readonly stream: string
  readonly element: Buffer
  /** The document it was to be, where the letter says so. */
  readonly document?: { readonly index: string; readonly id: string | undefined }
}
