import { type Rejection, RetryableError } from '../../src/component.ts'

/**
 * What the failure of the first half of a batch means for the whole, whose second half, `rest`, was not sent.
 * Where nothing at all is settled yet the failure stays what it is.
 */
export function withRest(error: unknown, rest: readonly number[]): unknown {
  if (!(error instanceof RetryableError) || error.remaining === undefined) return error
  return partly(error, [...error.remaining, ...rest], error.rejected)
}

/** What the failure of the second half of a batch means for the whole, whose first half is settled. */
export function afterFirst(
  error: unknown,
  second: readonly number[],
  refusedBefore: readonly Rejection[],
): RetryableError {
  if (!(error instanceof RetryableError)) return partly(error, second, refusedBefore)
  return partly(error, error.remaining ?? second, [...refusedBefore, ...error.rejected])
}

function partly(
  cause: unknown,
  remaining: readonly number[],
  rejected: readonly Rejection[],
): RetryableError {
  const { message, reason = 'unexpected', retryAfter } = cause as Partial<RetryableError>
  return new RetryableError(message ?? String(cause), {
    cause,
    reason,
    remaining,
    rejected,
    ...(retryAfter !== undefined && { retryAfter }),
  })
}
