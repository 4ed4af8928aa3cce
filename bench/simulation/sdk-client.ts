import type { Balancer } from './balancer.ts'
import type { Clock } from './clock.ts'
import type { Answer, Gateway } from './gateway.ts'
import type { Ledger, Request } from './ledger.ts'
import type { Load } from './load.ts'
import type { Random } from './random.ts'

/** The batch processor and the exporter of an OpenTelemetry SDK. Milliseconds, records. */
export interface SdkSettings {
  readonly maxQueueSize: number
  readonly maxExportBatchSize: number
  readonly scheduledDelay: number
  /** Until an attempt without an answer counts as failed. */
  readonly timeout: number
  readonly retry: {
    readonly initial: number
    readonly max: number
    readonly factor: number
    readonly jitter: number
  }
  /** How long a batch is tried again before it is thrown away; Infinity: until it is taken. */
  readonly retryBudget: number
}

export interface SdkClientOptions {
  readonly clock: Clock
  readonly random: Random
  readonly ledger: Ledger
  readonly load: Load
  readonly balancer: Balancer
  readonly settings: SdkSettings
  /** Records per millisecond, before the factor of the load. */
  readonly rate: number
  /** Milliseconds to the gateway and back. */
  readonly network: number
}

/**
 * One process that writes logs: its SDK keeps them in a bounded queue, exports one batch at a time, and tries again
 * what is refused. Records are counted, not made: a whole batch is one event.
 */
export class SdkClient {
  readonly #options: SdkClientOptions
  #queued = 0
  #oldestMs = 0
  #countedMs = 0
  #gateway: Gateway | undefined
  #request: Request | undefined
  /** When the batch under way was first sent. */
  #beganMs = 0
  #retries = 0
  /** Grows with every attempt, and tells answers to earlier ones. */
  #attempt = 0
  #answerDueMs = 0
  #watching = false
  #timer = 0

  constructor(options: SdkClientOptions) {
    this.#options = options
    this.#countedMs = options.clock.now
    options.clock.after(options.random.uniform() * options.settings.scheduledDelay, () => this.#export())
  }

  /** Records in the queue. */
  get queued(): number {
    this.#write()
    return this.#queued
  }

  /** The batch that is on its way and not answered. */
  get request(): Request | undefined {
    return this.#request
  }

  /** The connection is gone: what was sent over it has to be sent again. */
  disconnected(gateway: Gateway): void {
    if (this.#gateway !== gateway) return
    this.#gateway = undefined
    if (this.#request !== undefined && this.#answerDueMs > 0) this.#failed(undefined)
  }

  /** What the application wrote since the last time: the newest is dropped where there is no room, as the SDKs do. */
  #write(): void {
    const { clock, random, load, rate, settings, ledger } = this.#options
    const { now } = clock
    if (now === this.#countedMs) return
    const written = random.poisson(rate * load.between(this.#countedMs, now))
    if (this.#queued === 0) this.#oldestMs = this.#countedMs
    const kept = Math.min(written, settings.maxQueueSize - this.#queued)
    this.#queued += kept
    ledger.issued += written
    ledger.lost.queue_full += written - kept
    this.#countedMs = now
  }

  /** A full batch goes at once, a part of one after a while. */
  #plan(): void {
    const { clock, load, rate, settings } = this.#options
    this.#write()
    const missing = settings.maxExportBatchSize - this.#queued
    if (missing <= 0) {
      this.#export()
      return
    }
    const timer = ++this.#timer
    const untilFull = missing / (rate * load.at(clock.now))
    clock.after(Math.min(settings.scheduledDelay, untilFull), () => {
      if (timer === this.#timer) this.#export()
    })
  }

  #export(): void {
    const { clock, settings } = this.#options
    this.#write()
    if (this.#queued === 0) {
      this.#plan()
      return
    }
    const records = Math.min(this.#queued, settings.maxExportBatchSize)
    const { now } = clock
    this.#request = { records, oldestMs: this.#oldestMs, sentMs: now, copies: 1, delivered: false }
    // What stays in the queue was written evenly between then and now.
    this.#oldestMs += ((now - this.#oldestMs) * records) / this.#queued
    this.#queued -= records
    this.#beganMs = now
    this.#retries = 0
    this.#send()
  }

  #send(): void {
    const { clock, network, balancer, settings } = this.#options
    const request = this.#request as Request
    const attempt = ++this.#attempt
    this.#gateway ??= balancer.pick(this)
    const gateway = this.#gateway
    this.#answerDueMs = clock.now + settings.timeout
    if (gateway === undefined) {
      this.#failed(undefined)
      return
    }
    this.#watch()
    clock.after(network, () =>
      gateway.receive(request, (answer) => {
        if (attempt === this.#attempt) this.#answered(answer)
      }),
    )
  }

  /** One timer for all attempts: it moves on while answers come. */
  #watch(): void {
    if (this.#watching) return
    this.#watching = true
    const { clock } = this.#options
    clock.after(this.#answerDueMs - clock.now, () => {
      this.#watching = false
      if (this.#answerDueMs === 0) return
      if (this.#answerDueMs <= clock.now) this.#failed(undefined)
      else this.#watch()
    })
  }

  #answered(answer: Answer): void {
    if (!answer.ok) {
      this.#failed(answer.retryAfter)
      return
    }
    this.#settled()
  }

  #failed(retryAfter: number | undefined): void {
    const { clock, random, settings } = this.#options
    const { retry } = settings
    const growing =
      retry.initial * retry.factor ** this.#retries++ * (1 + retry.jitter * (2 * random.uniform() - 1))
    const wait = retryAfter ?? Math.min(retry.max, growing)
    // Whatever is still heard of this attempt comes too late.
    const attempt = ++this.#attempt
    this.#answerDueMs = 0
    if (clock.now + wait - this.#beganMs > settings.retryBudget) {
      this.#settled()
      return
    }
    clock.after(wait, () => {
      if (attempt === this.#attempt) this.#send()
    })
  }

  /** Its copy goes: others have one, or it gives up. */
  #settled(): void {
    this.#answerDueMs = 0
    const request = this.#request as Request
    this.#request = undefined
    this.#options.ledger.drop(request, 'gave_up')
    this.#plan()
  }
}
