import type { Logger } from 'pino'
import { type DeadLetters as Letters, RetryableError } from '../../src/component.ts'
import { memory } from '../../src/memory.ts'
import { rateLimited } from '../../src/telemetry/logger.ts'
import type { ComponentMetrics } from '../../src/telemetry/metrics.ts'
import { readAnswer } from './answer.ts'
import type { BulkRenderer } from './bulk.ts'
import type { BulkClient, BulkResponse } from './bulk-client.ts'
import { type LetterDocument, letterDocuments } from './dead-letter-document.ts'
import { reasonLabel } from './dead-letter-reason.ts'

export interface DeadLetterOptions {
  readonly dataStream: string
  /** Id of the exporter. */
  readonly exporter: string
  readonly client: Pick<BulkClient, 'send'>
  /** One of its own, which knows the documents that records were to be. */
  readonly renderer: BulkRenderer
  readonly log: Logger
  readonly metrics: ComponentMetrics
}

/** Letters that are made at a time: some are much larger than their records. */
const MAX_LETTERS = 200
const MAX_BULK_BYTES = 4 * 1024 * 1024
const LOG_INTERVAL_MS = 60_000

/**
 * Keeps refused records as documents of a data stream, under ids that follow from the record: a letter that was
 * written before is met with 409, and is there once.
 */
export class DeadLetters {
  readonly #options: DeadLetterOptions
  readonly #log: ReturnType<typeof rateLimited>
  /** Until a server says that it does not know the parameter. */
  #requireDataStream = true

  constructor(options: DeadLetterOptions) {
    this.#options = options
    this.#log = rateLimited(options.log, LOG_INTERVAL_MS)
  }

  /**
   * Resolves once the letters are in the data stream, with the records whose letters it will never take.
   * Throws `RetryableError`.
   */
  async bury({ batch, reason, pipeline }: Letters, signal: AbortSignal): Promise<readonly number[]> {
    const { dataStream, exporter, renderer, metrics } = this.#options
    const records = batch.indices()
    const refused: number[] = []
    const buriedMs = Date.now()
    for (let from = 0; from < records.length; from += MAX_LETTERS) {
      const documents = letterDocuments(batch.select(records.slice(from, from + MAX_LETTERS)), {
        dataStream,
        requireDataStream: this.#requireDataStream,
        exporter,
        pipeline,
        reason,
        buriedMs,
        renderer,
      })
      for (const run of runsOf(documents)) refused.push(...(await this.#write(run, signal)))
    }
    metrics
      .counter(
        'sluice_elasticsearch_dead_letters_total',
        'Dead letters in the data stream, by why the record was refused.',
        { reason: reasonLabel(reason) },
      )
      .inc(records.length - refused.length)
    return refused
  }

  /** Sends letters and returns the records of those that were refused for good. */
  async #write(letters: readonly LetterDocument[], signal: AbortSignal): Promise<readonly number[]> {
    const { client } = this.#options
    const body = Buffer.from(letters.map(({ lines }) => lines).join(''))
    const response = await client.send(memory.adopt(body), signal)
    const { status, node, retryAfter } = response
    if (status === 429 || status >= 500) {
      throw new RetryableError(`${node} answered ${status} to dead letters`, {
        reason: `status_${status}`,
        ...(retryAfter !== undefined && { retryAfter }),
      })
    }
    if (status === 200) return this.#settle(letters, response)
    if (status === 400 && letters[0].lines.includes(REQUIRE)) return this.#writeElsewhere(letters, signal)
    if ((status === 413 || status === 400) && letters.length > 1) {
      const middle = letters.length >>> 1
      const first = await this.#write(letters.slice(0, middle), signal)
      return [...first, ...(await this.#write(letters.slice(middle), signal))]
    }
    return this.#refuse(letters, `${node} answered ${status}`)
  }

  #settle(letters: readonly LetterDocument[], { body, node }: BulkResponse): readonly number[] {
    const outcome = readAnswer(
      body,
      letters.map(({ record }) => record),
    )
    if (outcome === undefined) {
      throw new RetryableError(`${node} answered 200 with something that is no bulk response`, {
        reason: 'bad_answer',
      })
    }
    const { retry, retryStatus } = outcome
    // What the data stream lacks must not hold up what may be delivered either: the buffer has a place for letters.
    const rejected = [...outcome.rejected, ...outcome.unready]
    const records = rejected.flatMap((refusal) => refusal.records)
    if (records.length > 0) this.#refuse(letters, `${node} answered ${rejected[0].reason}`)
    if (retry.length === 0) return records
    // Missing rights for this data stream must not hold up what may be delivered.
    if (retryStatus === 401 || retryStatus === 403) {
      this.#refuse(letters, `${node} answered ${retryStatus}`)
      return [...records, ...retry]
    }
    throw new RetryableError(`${node} answered ${retryStatus} for ${retry.length} dead letters`, {
      reason: `status_${retryStatus}`,
    })
  }

  /** Once more, without what OpenSearch does not know. */
  async #writeElsewhere(letters: readonly LetterDocument[], signal: AbortSignal): Promise<readonly number[]> {
    const plain = letters.map(({ record, lines }) => ({ record, lines: lines.replace(REQUIRE, '') }))
    const refused = await this.#write(plain, signal)
    if (refused.length < letters.length) this.#requireDataStream = false
    return refused
  }

  #refuse(letters: readonly LetterDocument[], answer: string): readonly number[] {
    const { dataStream } = this.#options
    this.#log.warn(
      answer,
      { dataStream, err: answer },
      'Elasticsearch does not take dead letters; the buffer keeps them: docs/dead-letters.md has the index template and the rights',
    )
    return letters.map(({ record }) => record)
  }
}

const REQUIRE = ',"require_data_stream":true'

/** The letters in runs that are worth a request. */
function runsOf(letters: readonly LetterDocument[]): LetterDocument[][] {
  const runs: LetterDocument[][] = []
  let size = Number.POSITIVE_INFINITY
  for (const letter of letters) {
    const bytes = letter.lines.length
    if (size + bytes > MAX_BULK_BYTES) {
      runs.push([])
      size = 0
    }
    runs[runs.length - 1].push(letter)
    size += bytes
  }
  return runs
}
