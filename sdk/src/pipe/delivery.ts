import type { Answer, Transport } from '../transport/answer.ts'
import { backoff } from '../transport/backoff.ts'
import type { CounterBook } from './counters.ts'
import type { Health } from './health.ts'
import { Naps } from './naps.ts'
import type { RetryOptions } from './options.ts'

/** What came of a request in the end. */
export type Outcome =
  | Exclude<Answer, { kind: 'retryable' }>
  /** `late`: there was no time left; otherwise whoever asked for it gave up. */
  | { readonly kind: 'given_up'; readonly late: boolean }

/** How long a request is tried. */
export interface Patience {
  readonly budgetMillis: number
  /** Asked after each failure, of an attempt that began at a time of `performance.now`: true ends the attempts. */
  readonly givesUp: (begun: number) => boolean
}

/** Sends requests until the collector takes or refuses them, or patience ends. */
export class Delivery {
  readonly #transport: Transport
  readonly #retry: RetryOptions
  readonly #health: Health
  readonly #counters: CounterBook
  readonly #troubled: () => void
  /** Waits of our own, which a flush may cut short, and those that the collector asked for. */
  readonly #naps = new Naps()
  readonly #asked = new Naps()
  #lastMillis = 0

  /** @param troubled Called with each attempt that fails. */
  constructor(
    transport: Transport,
    retry: RetryOptions,
    health: Health,
    counters: CounterBook,
    troubled: () => void,
  ) {
    this.#transport = transport
    this.#retry = retry
    this.#health = health
    this.#counters = counters
    this.#troubled = troubled
  }

  /** How long the last attempt took. */
  get lastMillis(): number {
    return this.#lastMillis
  }

  /** Sends the same bytes again and again; an answer that was lost may have been a good one. Never rejects. */
  async deliver(request: Buffer, { budgetMillis, givesUp }: Patience): Promise<Outcome> {
    const end = performance.now() + budgetMillis
    for (let attempt = 0; ; attempt++) {
      const begun = performance.now()
      const answer = await this.#transport.send(request)
      this.#lastMillis = performance.now() - begun
      if (this.#health.note(answer)) this.hurry()
      if (answer.kind !== 'retryable') return answer
      this.#troubled()
      const wait = backoff(this.#retry, attempt, answer.waitMillis)
      if (givesUp(begun)) return { kind: 'given_up', late: false }
      if (performance.now() + wait >= end) return { kind: 'given_up', late: true }
      await (answer.waitMillis === undefined ? this.#naps : this.#asked).nap(wait)
      if (givesUp(begun)) return { kind: 'given_up', late: false }
      this.#counters.retried++
    }
  }

  /** Tries again at once what waits for its next attempt. */
  hurry(): void {
    this.#naps.wake()
  }
}
