import type { ComponentMetrics } from '../../../src/telemetry/metrics.ts'
import { Throttled } from '../outcome.ts'
import type { Rate, RateLimitSettings } from './rate-limit-config.ts'
import { TokenBucket } from './token-bucket.ts'

/** SDKs drop at once what is to wait for longer than the 10 s they give a request. */
const LONGEST_WAIT_MS = 9000
/** Tenants with a series of their own, besides those that the config names. */
const MOST_SERIES = 100
const OTHERS = '(others)'
/** Senders whose credential names no tenant share the limits, and a series. */
const NOBODY = '(none)'
const KINDS = ['requests', 'records', 'bytes'] as const

type Kind = (typeof KINDS)[number]

/** How much each tenant may send. What is known of a tenant is three numbers, and of so many tenants at most. */
export class RateLimits {
  readonly #settings: RateLimitSettings
  readonly #metrics: ComponentMetrics
  /** Those that have sent last are at the end. */
  readonly #allowances = new Map<string | undefined, Allowance>()
  readonly #series: Set<string>

  constructor(settings: RateLimitSettings, metrics: ComponentMetrics) {
    this.#settings = settings
    this.#metrics = metrics
    this.#series = new Set(Object.keys(settings.tenants))
  }

  /** What a tenant may still send; undefined where that is any amount. */
  of(tenant: string | undefined): Allowance | undefined {
    const rate = this.#rateOf(tenant)
    if (rate === undefined) return undefined
    const allowance =
      this.#allowances.get(tenant) ??
      new Allowance(rate, performance.now(), (kind) => this.#count(tenant, kind))
    this.#allowances.delete(tenant)
    this.#allowances.set(tenant, allowance)
    if (this.#allowances.size > this.#settings.max_tenants) {
      const [oldest] = this.#allowances.keys()
      this.#allowances.delete(oldest)
    }
    return allowance
  }

  #rateOf(tenant: string | undefined): Rate | undefined {
    const { tenants, default: others } = this.#settings
    return tenant !== undefined && Object.hasOwn(tenants, tenant) ? tenants[tenant] : others
  }

  #count(tenant: string | undefined, limit: Kind): void {
    const help = 'Requests that a tenant was told to send again later, by the limit it was over.'
    const labels = { tenant: this.#label(tenant), limit }
    this.#metrics.counter('sluice_receiver_rate_limited_requests_total', help, labels).inc()
  }

  #label(tenant: string | undefined): string {
    if (tenant === undefined) return NOBODY
    if (this.#series.has(tenant)) return tenant
    if (this.#series.size >= MOST_SERIES + Object.keys(this.#settings.tenants).length) return OTHERS
    this.#series.add(tenant)
    return tenant
  }
}

/** What one tenant may still send. */
export class Allowance {
  readonly #buckets = new Map<Kind, TokenBucket>()
  readonly #refused: (kind: Kind) => void

  constructor(rate: Rate, now: number, refused: (kind: Kind) => void) {
    this.#refused = refused
    for (const kind of KINDS) {
      const limit = rate[kind]
      if (limit !== undefined) this.#buckets.set(kind, new TokenBucket(limit, rate.burst, now))
    }
  }

  /**
   * Takes all or nothing. Of what 0 is asked, there must be no less than nothing left: who has sent too much of it waits.
   * @throws Throttled when it is more than may be sent now
   */
  take(amounts: Readonly<Partial<Record<Kind, number>>>): void {
    const now = performance.now()
    const asked: [TokenBucket, number][] = []
    for (const kind of KINDS) {
      const bucket = this.#buckets.get(kind)
      const amount = amounts[kind]
      if (bucket === undefined || amount === undefined) continue
      const wait = bucket.wait(amount, now)
      if (wait > 0) {
        this.#refused(kind)
        throw new Throttled(
          `more ${kind} than the tenant may send (rate_limits)`,
          Math.min(wait, LONGEST_WAIT_MS),
        )
      }
      asked.push([bucket, amount])
    }
    for (const [bucket, amount] of asked) bucket.take(amount)
  }
}
