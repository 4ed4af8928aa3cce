import { AuthenticationError, PermanentError, RetryableError } from '../../src/component.ts'
import { MalformedError } from '../../src/logs/wire.ts'

/**
 * What became of a request, and what each protocol says of it.
 * https://opentelemetry.io/docs/specs/otlp/#failures and, for HTTP, #failures-1
 */
export type Outcome = Success | Failure

export interface Success {
  readonly ok: true
  /** Records that the destination refused for good, of a request whose others it took. */
  readonly rejected: number
  /** Why it did. */
  readonly message: string
}

export interface Failure {
  readonly ok: false
  readonly code: number
  readonly http: number
  readonly headers: Readonly<Record<string, string>>
  /** A short word for metrics. */
  readonly reason: string
  /** A sentence for whoever sent the request. */
  readonly message: string
  /** How long the client should keep its copy before it tries again; undefined: it should not. */
  readonly retryMs: number | undefined
}

/** The numbers of google.rpc.Code that are in use here. */
export const Code = {
  cancelled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const

/** Reasons to turn a request away for good. */
const REFUSALS = {
  malformed: { code: Code.invalidArgument, http: 400, headers: {} },
  permanent: { code: Code.invalidArgument, http: 400, headers: {} },
  disconnected: { code: Code.cancelled, http: 400, headers: {} },
  timeout: { code: Code.deadlineExceeded, http: 408, headers: {} },
  slow: { code: Code.deadlineExceeded, http: 408, headers: {} },
  records: { code: Code.invalidArgument, http: 400, headers: {} },
  content: { code: Code.invalidArgument, http: 400, headers: {} },
  compression_ratio: { code: Code.resourceExhausted, http: 413, headers: {} },
  too_large: { code: Code.resourceExhausted, http: 413, headers: {} },
  unauthenticated: { code: Code.unauthenticated, http: 401, headers: {} },
  forbidden: { code: Code.permissionDenied, http: 403, headers: {} },
  not_found: { code: Code.unimplemented, http: 404, headers: {} },
  method: { code: Code.unimplemented, http: 405, headers: { allow: 'POST' } },
  content_type: {
    code: Code.invalidArgument,
    http: 415,
    headers: { accept: 'application/x-protobuf, application/json' },
  },
  content_encoding: { code: Code.invalidArgument, http: 415, headers: {} },
  expectation: { code: Code.invalidArgument, http: 417, headers: {} },
  headers_too_large: { code: Code.resourceExhausted, http: 431, headers: {} },
} as const

export type RefusalReason = keyof typeof REFUSALS

/** When a retryable error doesn't say how long to wait. */
const RETRY_MS = 1000
/** A message travels in a header too, and some clients take no more than 8 KiB of those. */
const MAX_MESSAGE = 1000

/** A request that is turned away before anybody looks at what it holds. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly reason: RefusalReason
  /** Where gRPC has a code of its own for what is wrong. */
  readonly code: number | undefined
  /** Headers of HTTP that differ from those of the reason. */
  readonly headers: Readonly<Record<string, string>>

  constructor(
    reason: RefusalReason,
    message: string,
    code?: number,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
    this.reason = reason
    this.code = code
    this.headers = headers
  }
}

/** A tenant has sent more than it may: the same request may come again later. */
export class Throttled extends Error {
  override readonly name = 'Throttled'
  readonly retryMs: number

  constructor(message: string, retryMs: number) {
    super(message)
    this.retryMs = retryMs
  }
}

/** The outcome that an error stands for; undefined for one that nobody planned. */
export function outcomeOf(error: unknown, records: number): Outcome | undefined {
  if (error instanceof RetryableError) return retryLater(error.reason, error.message, error.retryAfter)
  if (error instanceof Throttled)
    return {
      ...retryLater('rate_limited', error.message, error.retryMs),
      code: Code.resourceExhausted,
      http: 429,
    }
  if (error instanceof AuthenticationError)
    return { ...refused(error.reason, error.message), headers: { 'www-authenticate': error.challenge } }
  if (error instanceof Refusal) return refused(error.reason, error.message, error.code, error.headers)
  if (error instanceof MalformedError) return refused('malformed', error.message)
  if (!(error instanceof PermanentError)) return undefined
  const rejected = error.rejected.reduce((sum, { records }) => sum + records.length, 0)
  if (rejected === 0 || rejected >= records) return refused('permanent', error.message)
  return { ok: true, rejected, message: sentence(whyRejected(error)) }
}

/** How many records were refused for what: `mapping conflict; 2 records: mapping; 1 record: too large`. */
function whyRejected({ message, rejected }: PermanentError): string {
  const counts = new Map<string, number>()
  for (const { reason, records } of rejected) counts.set(reason, (counts.get(reason) ?? 0) + records.length)
  const list = [...counts].map(([reason, count]) => `${count} record${count === 1 ? '' : 's'}: ${reason}`)
  return [...(counts.has(message) ? [] : [message]), ...list].join('; ')
}

/** The client should send the same again after a while. */
export function retryLater(reason: string, message: string, retryMs = RETRY_MS): Failure {
  const wait = Math.max(0, Math.ceil(retryMs))
  return {
    ok: false,
    code: Code.unavailable,
    http: 503,
    headers: { 'retry-after': String(Math.ceil(wait / 1000)) },
    reason,
    message: sentence(message),
    retryMs: wait,
  }
}

/** The outcome of a request that is turned away for good. */
export function refused(
  reason: RefusalReason,
  message: string,
  code?: number,
  headers?: Failure['headers'],
): Failure {
  const known = REFUSALS[reason]
  return {
    ok: false,
    code: code ?? known.code,
    http: known.http,
    headers: { ...known.headers, ...headers },
    reason,
    message: sentence(message),
    retryMs: undefined,
  }
}

/** Both ends of a long message are kept: a path begins it, the problem ends it. */
function sentence(message: string): string {
  const half = MAX_MESSAGE / 2
  const short =
    message.length <= MAX_MESSAGE ? message : `${message.slice(0, half)} … ${message.slice(3 - half)}`
  return short.toWellFormed()
}
