import { type Rejection, RetryableError } from '../../src/component.ts'
import type { ComponentContext } from '../../src/define.ts'
import type { LogBatch } from '../../src/logs/batch.ts'
import { type RateLimitedLog, rateLimited } from '../../src/telemetry/logger.ts'
import { type BulkOutcome, isRetryable, isUnauthorized, readAnswer } from './answer.ts'
import type { Bulk, BulkRenderer } from './bulk.ts'
import type { BulkClient, BulkResponse } from './bulk-client.ts'
import { BulkMetrics } from './bulk-metrics.ts'
import type { WatchedFields } from './fields/index.ts'
import { afterFirst, withRest } from './halves.ts'
import { pressureLimit, problemIn } from './item.ts'
import type { Targets } from './target.ts'

const LOG_INTERVAL_MS = 10_000
/** How long ago a document must have been taken for the destination to count as ready. */
const PROOF_MS = 10_000
/** Of what a server has for all requests together: a larger one may never find room, however long it waits. */
const LARGEST_SHARE = 0.5
const UNKNOWN_PARAMETER = /\b(?:unknown|unrecognized) parameters?:? \[/

export interface BulkParts {
  readonly client: BulkClient
  readonly renderer: BulkRenderer
  readonly targets: Targets
  readonly fields: WatchedFields
}

/** Sends batches, and settles each document by its own status. */
export class BulkSender {
  readonly #parts: BulkParts
  readonly #metrics: BulkMetrics
  readonly #health: ComponentContext['health']
  readonly #log: RateLimitedLog
  #takenAt = Number.NEGATIVE_INFINITY

  constructor(parts: BulkParts, { metrics, health, log }: ComponentContext) {
    this.#parts = parts
    this.#metrics = new BulkMetrics(metrics)
    this.#health = health
    this.#log = rateLimited(log, LOG_INTERVAL_MS)
  }

  /** Returns what was refused for good. Throws `RetryableError` for what is to be sent again. */
  send(batch: LogBatch, signal: AbortSignal): Promise<readonly Rejection[]> {
    return this.#send(batch, signal, true)
  }

  async #send(batch: LogBatch, signal: AbortSignal, mayAdapt: boolean): Promise<readonly Rejection[]> {
    const { client, renderer } = this.#parts
    const bulk = renderer.render(batch)
    if (bulk.records.length === 0) {
      this.#rendered(bulk)
      return bulk.rejected
    }
    const answered = this.#metrics.requestStarted(bulk.body.length)
    const response = await client.send(bulk.body, signal).catch((error: unknown) => {
      this.#metrics.requestFailed()
      const isSecret = error instanceof RetryableError && error.reason === 'unauthorized'
      this.#health(isSecret ? 'failed' : 'degraded', error instanceof Error ? error.message : undefined)
      throw error
    })
    answered()
    if (response.status === 400 && mayAdapt && this.#adapts(response)) return this.#send(batch, signal, false)
    if (response.status !== 200) return this.#refused(batch, bulk, response, signal)
    const outcome = readAnswer(response.body, bulk.records)
    if (outcome === undefined) throw this.#noAnswer(response)
    this.#rendered(bulk)
    return this.#settle(batch, bulk.rejected, outcome, response.node)
  }

  #settle(
    batch: LogBatch,
    unrendered: readonly Rejection[],
    outcome: BulkOutcome,
    node: string,
  ): readonly Rejection[] {
    const { created, duplicates, redirected, retry, retryStatus, unready } = outcome
    if (created + duplicates > 0) this.#takenAt = performance.now()
    // What the destination lacks for every document, somebody will mend; what it lacks for some, while it takes
    // others, must not hold these up.
    const isReady = performance.now() - this.#takenAt < PROOF_MS
    const refused = isReady ? [...outcome.rejected, ...unready] : outcome.rejected
    const waiting = isReady ? [] : unready
    const again = [...retry, ...waiting.flatMap(({ records }) => records)]
    this.#metrics.requestSettled(outcome, { refused: count(refused), retried: again.length })
    if (redirected > 0) {
      const fields = { node, documents: redirected }
      this.#log.warn('failure_store', fields, 'documents went to the failure store of their data stream')
    }
    const rejected = [...unrendered, ...refused]
    if (again.length === 0) {
      if (unready.length === 0) this.#well()
      else this.#health('degraded', `${node} is not ready for some documents: ${unready[0].reason}`)
      return rejected
    }
    const [{ reason: problem } = { reason: `${retryStatus}` }] = waiting
    const message = `${node} answered ${problem} for ${again.length} documents`
    const isFailure = waiting.length > 0 || isUnauthorized(retryStatus)
    this.#health(isFailure ? 'failed' : 'degraded', message)
    throw new RetryableError(message, {
      reason: waiting.length > 0 ? 'not_ready' : reasonOf(retryStatus),
      // Without any: the whole batch, and the destination is given a rest.
      ...(again.length < batch.size && { remaining: again }),
      rejected,
    })
  }

  #well(): void {
    const { problem } = this.#parts.fields.watch
    if (problem === undefined) this.#health('ok')
    else this.#health('degraded', problem)
  }

  /** Counts what rendering did, once it is settled what becomes of it. */
  #rendered(bulk: Bulk): void {
    this.#metrics.rendered(bulk)
    this.#parts.fields.count(bulk.moved)
  }

  /** Whether the server did not know something that can be left out from now on. */
  #adapts({ body }: BulkResponse): boolean {
    const { client, targets } = this.#parts
    const { problem } = problemIn(body)
    if (!UNKNOWN_PARAMETER.test(problem)) return false
    if (problem.includes('[require_data_stream]')) targets.askNoMoreForDataStreams()
    else if (problem.includes('[include_source_on_error]')) client.keepSource()
    else return false
    return true
  }

  /** The request was not taken as a whole. */
  async #refused(
    batch: LogBatch,
    bulk: Bulk,
    { status, body, retryAfter, node }: BulkResponse,
    signal: AbortSignal,
  ): Promise<readonly Rejection[]> {
    this.#metrics.requestFailed()
    const { type, problem } = problemIn(body)
    const said = `${node} answered ${status}${type === undefined ? '' : ` ${type}`}`
    if (status === 400 && UNKNOWN_PARAMETER.test(problem)) {
      const message = `${said}: it does not know a parameter of the request; see the query of the endpoint`
      this.#health('failed', message)
      throw new RetryableError(message, { reason: 'bad_request' })
    }
    const isHuge = bulk.body.length > pressureLimit(problem) * LARGEST_SHARE
    if (status === 413 || status === 400 || (status === 429 && isHuge)) {
      if (batch.size > 1) return this.#sendHalves(batch, signal)
      this.#rendered(bulk)
      this.#metrics.recordRefused()
      return [{ records: batch.indices(), reason: `${said} to this record alone` }]
    }
    const isStrange = status < 400 || !isRetryable(status)
    const message = isStrange ? `${said}: is it Elasticsearch, or something before it` : said
    this.#health(isStrange || isUnauthorized(status) ? 'failed' : 'degraded', message)
    throw new RetryableError(message, { reason: reasonOf(status), ...(retryAfter && { retryAfter }) })
  }

  #noAnswer({ node }: BulkResponse): RetryableError {
    this.#metrics.requestFailed()
    const message = `${node} answered 200 with something that is no bulk response: is it Elasticsearch, or something before it`
    this.#health('failed', message)
    return new RetryableError(message, { reason: 'bad_answer' })
  }

  /** A bulk too large, or refused as a whole, is halved until what is to blame stands alone. */
  async #sendHalves(batch: LogBatch, signal: AbortSignal): Promise<readonly Rejection[]> {
    const records = batch.indices()
    const middle = records.length >>> 1
    const first = await this.send(batch.select(records.slice(0, middle)), signal).catch((error: unknown) => {
      throw withRest(error, records.slice(middle))
    })
    const second = await this.send(batch.select(records.slice(middle)), signal).catch((error: unknown) => {
      throw afterFirst(error, records.slice(middle), first)
    })
    return [...first, ...second]
  }
}

function reasonOf(status: number): string {
  if (isUnauthorized(status)) return 'unauthorized'
  return status === 429 ? 'too_many' : `status_${status}`
}

function count(rejections: readonly Rejection[]): number {
  return rejections.reduce((sum, { records }) => sum + records.length, 0)
}
