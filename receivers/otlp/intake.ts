import type { Logger } from 'pino'
import type { Push } from '../../src/component.ts'
import { LogBatch } from '../../src/logs/batch.ts'
import { setResourceAttribute } from '../../src/logs/resource-attribute.ts'
import type { Counts } from './counts.ts'
import type { Sender } from './door/door.ts'
import { type Content, withExcess } from './limits/content.ts'
import type { Hold } from './limits/in-flight.ts'
import { type Failure, type Outcome, outcomeOf, retryLater } from './outcome.ts'

/** A bug that fails every request should not fill the disk with saying so. */
const LOG_INTERVAL_MS = 1000

/** What the index of a batch takes for each record. */
const RECORD_BYTES = 56

const SUCCESS: Outcome = { ok: true, rejected: 0, message: '' }

/** A request as a transport has it. */
export interface Incoming {
  /** The memory it takes; given back when the request has been answered. */
  readonly hold: Hold
  /** Its protobuf bytes. Called once. */
  read(): Buffer | Promise<Buffer>
  /** Who was let in with it; known once it has been read. */
  readonly sender: Sender
  /** Gives back the memory that the bytes lie in. Called once nobody reads them any more; where somebody still may, never. */
  giveBack(): void
}

export interface IntakeOptions {
  readonly push: Push
  readonly content: Content
  readonly log: Logger
  /** Aborts when running requests are given up; a client that goes away is no reason for that. */
  readonly signal: AbortSignal
  /** What the tenant is called among the attributes of a resource, if it is to be there. */
  readonly tenantAttribute?: string | undefined
}

/** What both transports do with a request, from its bytes to the outcome to answer with. */
export class Intake {
  readonly #push: Push
  readonly #content: Content
  readonly #log: Logger
  readonly #signal: AbortSignal
  readonly #tenantAttribute: string | undefined
  #lastLogged = Number.NEGATIVE_INFINITY
  #unlogged = 0

  constructor({ push, content, log, signal, tenantAttribute }: IntakeOptions) {
    this.#push = push
    this.#content = content
    this.#log = log
    this.#signal = signal
    this.#tenantAttribute = tenantAttribute
  }

  /** Reads a request and pushes its records. Resolves once somebody else is responsible for them, or nobody is. Never rejects. */
  async take(incoming: Incoming, counts: Counts): Promise<Outcome> {
    let records = 0
    let outcome = SUCCESS
    let isPushed = false
    let excess: ReturnType<Content['limit']>
    try {
      const bytes = await incoming.read()
      const { tenant, allowance } = incoming.sender
      const batch = LogBatch.decode(bytes, Date.now(), tenant)
      // Processors may drop some: count before they do.
      records = batch.size
      incoming.hold.take(records * RECORD_BYTES)
      allowance?.take({ records })
      excess = this.#content.limit(batch)
      this.#label(batch, tenant)
      if (batch.size > 0) {
        // Whoever is to keep the batch makes a copy of it.
        incoming.hold.take(batch.byteLength)
        isPushed = true
        await this.#push(batch, this.#signal)
        isPushed = false
      }
    } catch (error) {
      outcome = this.outcomeOf(error, records - (excess?.rejected ?? 0))
    }
    outcome = withExcess(outcome, excess)
    // Who took the batch has copied it. After a rejection something may still be under way with it.
    if (!isPushed) incoming.giveBack()
    incoming.hold.release()
    counts.count(outcome, records)
    return outcome
  }

  /** What a request ends with that failed this way. */
  outcomeOf(error: unknown, records: number): Outcome {
    return outcomeOf(error, records) ?? this.#unplanned(error)
  }

  /** What the client says of its tenant goes, whoever it is: readers take the attribute for ours. */
  #label(batch: LogBatch, tenant: string | undefined): void {
    if (this.#tenantAttribute !== undefined) setResourceAttribute(batch, this.#tenantAttribute, tenant)
  }

  #unplanned(error: unknown): Failure {
    if (this.#signal.aborted) return retryLater('stopping', 'the collector is stopping')
    const now = performance.now()
    if (now - this.#lastLogged < LOG_INTERVAL_MS) {
      this.#unlogged++
    } else {
      this.#log.error({ err: error, unlogged: this.#unlogged }, 'request failed unexpectedly')
      this.#lastLogged = now
      this.#unlogged = 0
    }
    return retryLater('internal', 'the collector failed unexpectedly; its log says why')
  }
}
