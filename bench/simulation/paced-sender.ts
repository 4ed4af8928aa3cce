import type { Balancer } from './balancer.ts'
import type { Clock } from './clock.ts'
import type { Ledger, Request } from './ledger.ts'
import type { Load } from './load.ts'

export interface PacedSenderOptions {
  readonly clock: Clock
  readonly ledger: Ledger
  readonly load: Load
  readonly balancer: Balancer
  /** Requests per millisecond, before the factor of the load. */
  readonly rate: number
  readonly recordsPerRequest: number
  /** Milliseconds until a refused request is sent again. */
  readonly retryAfter: number
  readonly network: number
}

/** An open loop, as bench/simulation/paced-load.ts is: one request after the other at its time, whatever became of those before. */
export class PacedSender {
  readonly #options: PacedSenderOptions
  readonly #underWay = new Set<Request>()

  constructor(options: PacedSenderOptions) {
    this.#options = options
    this.#next()
  }

  /** Requests that are not answered with success yet. */
  get requests(): Iterable<Request> {
    return this.#underWay
  }

  disconnected(): void {}

  #next(): void {
    const { clock, load, rate, recordsPerRequest, ledger } = this.#options
    clock.after(1 / (rate * load.at(clock.now)), () => {
      const request = {
        records: recordsPerRequest,
        oldestMs: clock.now,
        sentMs: clock.now,
        copies: 1,
        delivered: false,
      }
      ledger.issued += recordsPerRequest
      this.#underWay.add(request)
      this.#send(request)
      this.#next()
    })
  }

  #send(request: Request): void {
    const { clock, balancer, network, retryAfter, ledger } = this.#options
    const gateway = balancer.pick(this)
    clock.after(network, () =>
      gateway?.receive(request, (answer) => {
        if (!answer.ok) {
          clock.after(retryAfter, () => this.#send(request))
          return
        }
        this.#underWay.delete(request)
        ledger.drop(request, 'gave_up')
      }),
    )
  }
}
