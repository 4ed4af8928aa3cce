import type { IncomingHttpHeaders } from 'node:http'
import type { LogBatch } from './logs/batch.ts'

/**
 * Hands a batch on. Resolves once the batch is somebody else's responsibility: durably buffered, or
 * delivered. Until then the sender keeps its copy. Rejects with `RetryableError` or `PermanentError`;
 * anything else thrown counts as retryable, because a bug must not lose data.
 */
export type Push = (batch: LogBatch, signal: AbortSignal) => Promise<void>

/**
 * Components start downstream first and stop upstream first.
 * `stop` is legal without `start` and more than once; `deadline` aborts when time is up.
 */
export interface Lifecycle {
  start?(): Promise<void>
  stop?(deadline: AbortSignal): Promise<void>
}

/** Created with the `push` of its pipelines; answers its client when that promise settles. */
export interface Receiver extends Lifecycle {}

/**
 * Edits a batch in place: before the buffer a batch has one owner.
 * What it drops, it drops with a reason; the pipeline counts.
 */
export interface Processor extends Lifecycle {
  process(batch: LogBatch, signal: AbortSignal): void | Promise<void>
}

/** Delivers, or throws `RetryableError` or `PermanentError`. Holds no retry loop: `src/delivery/` has it. */
export interface Exporter extends Lifecycle {
  export(batch: LogBatch, signal: AbortSignal): Promise<void>
  /**
   * Keeps refused records at the destination, in place of the buffer's dead letters. Resolves, once they are durable
   * there, with the indices of those that it will never take either: the buffer keeps these. The same letters may come
   * again, and are then kept once. Throws what `export` throws for what may succeed later.
   */
  bury?(letters: DeadLetters, signal: AbortSignal): Promise<readonly number[]>
}

/** A buffer between pipelines: the end of one, the start of others. Each consuming pipeline is a group with its own queue. */
export interface Connector extends Lifecycle {
  /** Resolves once every group's queue holds the batch durably. Throws `RetryableError` when full or down. */
  push: Push
  /** Hands out what is queued for `group`, oldest first, until `signal` aborts. One consumer per group and process. */
  leases(group: string, signal: AbortSignal): AsyncIterable<Lease>
  /** Keeps refused records, with the reason, in the dead-letter queue. Resolves once they are durable. */
  bury(letters: DeadLetters, signal: AbortSignal): Promise<void>
  /** What the buffer makes batch ids with, once it is known. */
  identity?(): Buffer | undefined
}

/** A connector that can keep what another one does not take, until that one does. */
export interface SpillConnector extends Connector {
  /** Makes batch ids as the owner of this key does from now on, also after a restart. */
  adoptIdentity(key: Buffer): Promise<void>
  /** Log records that wait for `group`, or are lent to it. */
  held(group: string): number
}

/** A batch on loan from a connector. Settled exactly once, by `ack` or `release`. */
export interface Lease {
  readonly batch: LogBatch
  /** The batch is delivered: the connector forgets it. */
  ack(): Promise<void>
  /** The batch is not delivered: the connector hands it out again, not before `delayMs` have passed. */
  release(delayMs: number): Promise<void>
}

/**
 * Says who sends a request, by its headers: before its body is read. An extension that receivers and admin endpoints
 * name in their `auth`. Every process has its own.
 */
export interface Authenticator extends Lifecycle {
  /**
   * Answers at once where it can. Throws, or rejects with, `AuthenticationError` for who may not send, and
   * `RetryableError` where nobody can say at the moment.
   */
  authenticate(headers: IncomingHttpHeaders): Identity | Promise<Identity>
}

/** Who sends a request, as its credential says. */
export interface Identity {
  /** A user, a service, the subject of a token. */
  readonly subject: string
  /** Whose logs these are. */
  readonly tenant?: string
}

/** Records that no retry will deliver, all refused for the same reason. */
export interface DeadLetters {
  readonly batch: LogBatch
  /** What refused them and why, without any of their content. */
  readonly reason: string
  /** The pipeline they were lost to. */
  readonly pipeline: string
}

/** Some records of a batch, by index, that the destination will never take. */
export interface Rejection {
  readonly records: readonly number[]
  readonly reason: string
}

/** The same batch may succeed later. */
export class RetryableError extends Error {
  override readonly name = 'RetryableError'
  /** Indices of the records still to deliver; all of them when absent. */
  readonly remaining: readonly number[] | undefined
  /** Records refused for good in the same attempt. */
  readonly rejected: readonly Rejection[]
  /** Milliseconds the destination asked to be left alone. */
  readonly retryAfter: number | undefined
  /** A short word for metrics: `full`, `unreachable`, `timeout`, … */
  readonly reason: string

  constructor(
    message: string,
    options: {
      cause?: unknown
      reason?: string
      remaining?: readonly number[]
      rejected?: readonly Rejection[]
      retryAfter?: number
    } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.reason = options.reason ?? 'unavailable'
    this.remaining = options.remaining
    this.rejected = options.rejected ?? []
    this.retryAfter = options.retryAfter
  }
}

/** The same input will always fail. */
export class PermanentError extends Error {
  override readonly name = 'PermanentError'
  /** What was refused; the whole batch when empty. */
  readonly rejected: readonly Rejection[]

  constructor(message: string, options: { cause?: unknown; rejected?: readonly Rejection[] } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.rejected = options.rejected ?? []
  }
}

/** Nobody may send without saying who he is, or he may not. The message is for whoever sent: it holds no secret. */
export class AuthenticationError extends Error {
  override readonly name = 'AuthenticationError'
  /** `forbidden`: known, but not allowed. */
  readonly reason: 'unauthenticated' | 'forbidden'
  /** For WWW-Authenticate: RFC 9110, section 11.6.1. */
  readonly challenge: string

  constructor(reason: AuthenticationError['reason'], message: string, challenge: string) {
    super(message)
    this.reason = reason
    this.challenge = challenge
  }
}
