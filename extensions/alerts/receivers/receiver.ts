import type { Alert, Change } from '../alert.ts'
import { PostError } from './http.ts'

/** What has become of the alerts at one look. */
export interface News {
  /** Milliseconds since 1970. */
  readonly now: number
  readonly firing: readonly Alert[]
  readonly changes: readonly Change[]
}

/** Somebody who is told of alerts. */
export interface Receiver {
  /** Returns at once; what it leads to never disturbs others. */
  tell(news: News): void
  /** Gives up what is under way. */
  stop(): Promise<void>
}

/** `sent`; `failed` and to be tried again; `rejected` for good; `dropped` because too many waited. */
export type Outcome = 'sent' | 'failed' | 'rejected' | 'dropped'

/** Counts and logs what comes of telling a receiver. */
export interface Telling {
  count(outcome: Outcome): void
  warn(outcome: Outcome, error: unknown): void
}

/** What an attempt came to; throws only when `signal` has aborted. */
export async function attempt(
  post: () => Promise<void>,
  telling: Telling,
  signal: AbortSignal,
): Promise<'sent' | 'failed' | 'rejected'> {
  try {
    await post()
    telling.count('sent')
    return 'sent'
  } catch (error) {
    signal.throwIfAborted()
    const outcome = error instanceof PostError && !error.isRetryable ? 'rejected' : 'failed'
    telling.count(outcome)
    telling.warn(outcome, error)
    return outcome
  }
}
