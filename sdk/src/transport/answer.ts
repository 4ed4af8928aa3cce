/** What came of one attempt to hand a request to the collector. */
export type Answer =
  | {
      readonly kind: 'taken'
      /** Records that the collector did not take of a request whose others it took; they must not come again. */
      readonly rejected: number
      /** What it says to that, or a warning where it rejected none. */
      readonly message: string
    }
  /** The same request may be taken later. It may even have been taken, and only the answer was lost. */
  | {
      readonly kind: 'retryable'
      /** A short word for metrics: a status, or the code of an error. */
      readonly reason: string
      readonly message: string
      /** How long the collector wants to be left alone, milliseconds; undefined where it does not say. */
      readonly waitMillis: number | undefined
    }
  /** The same request will never be taken. */
  | { readonly kind: 'refused'; readonly reason: string; readonly message: string }

/** Hands requests to a collector. */
export interface Transport {
  /** One attempt, within the time that one may take. Never rejects. */
  send(request: Buffer): Promise<Answer>
  /** Ends attempts that are under way, and all connections. */
  close(): void
}

const MOST_MESSAGE = 200

/** What a server says, fit for one line of a log. */
export function oneLine(message: string): string {
  return message.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').slice(0, MOST_MESSAGE)
}
