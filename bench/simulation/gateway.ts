import { Fill } from '../../connectors/redis/server/fill.ts'
import { REFUSE } from '../../connectors/redis/server/watermark.ts'
import type { Clock } from './clock.ts'
import type { Ledger, Refusal, Request } from './ledger.ts'
import type { Random } from './random.ts'
import { Server } from './server.ts'
import type { Element, Shard } from './shard.ts'
import type { RedisRules } from './topology.ts'

/** What a sender hears; it never hears of a dead gateway. `retryAfter` in milliseconds. */
export type Answer = { readonly ok: true } | { readonly ok: false; readonly retryAfter: number }

export interface GatewayCosts {
  /** CPU milliseconds. */
  readonly perRequest: number
  readonly perRecord: number
  /** Share of the work that a refused request costs: it is read and processed before the buffer says no. */
  readonly refusedShare: number
  /** Standard deviation of a request's cost, as a share of it: garbage collection, other tenants. */
  readonly variation: number
}

export interface GatewayOptions {
  readonly clock: Clock
  readonly random: Random
  readonly ledger: Ledger
  readonly shard: Shard
  readonly costs: GatewayCosts
  readonly config: RedisRules
  readonly bytesPerRecord: number
}

interface Waiting {
  readonly request: Request
  readonly answer: (answer: Answer) => void
}

/** How often the connector looks at its server (connectors/redis/server/monitor.ts). */
const LOOK_INTERVAL = 1_000
/** What senders are told where the error itself doesn't say (receivers/otlp/outcome.ts). */
const RETRY_AFTER = 1_000

/** One gateway process: a core that receives and processes, then the rules by which the Redis connector admits and gathers. */
export class Gateway {
  readonly cpu: Server
  /** Senders connected to it. */
  connections = 0
  readonly #options: GatewayOptions
  readonly #fill: Fill
  #alive = true
  #life = 0
  #pendingBytes = 0
  #group: Waiting[] = []
  #groupBytes = 0
  #groupNumber = 0
  #underWay = 0

  constructor(options: GatewayOptions) {
    this.#options = options
    this.cpu = new Server(options.clock)
    const { clock, config } = options
    const random = options.random.fork('retry')
    this.#fill = new Fill({
      // The model has no limits but memory, and nobody to warn.
      config: {
        ...config,
        memory_warn_watermark: config.memory_high_watermark,
        max_bytes: 0,
        max_records: 0,
      },
      copies: 1,
      now: () => clock.now,
      random: () => random.uniform(),
    })
    options.clock.every(LOOK_INTERVAL, () => this.#look(), options.random.uniform() * LOOK_INTERVAL)
  }

  receive(request: Request, answer: (answer: Answer) => void): void {
    if (!this.#alive) return
    const { costs, random } = this.#options
    const full = (costs.perRequest + costs.perRecord * request.records) * random.factor(costs.variation)
    this.cpu.run(
      () => (this.#refusal(request) === undefined ? full : full * costs.refusedShare),
      () => this.#admit(request, answer),
    )
  }

  /** Its zone is gone: nothing is answered any more. */
  kill(): void {
    this.#alive = false
    this.#life++
    this.cpu.reset()
    this.#group = []
    this.#groupBytes = 0
    this.#groupNumber++
    this.#pendingBytes = 0
    this.#underWay = 0
  }

  revive(): void {
    this.#alive = true
  }

  #look(): void {
    const { shard } = this.#options
    if (!this.#alive || !shard.answers) return
    const { usedMemory, maxMemory, counts } = shard
    this.#fill.look()({ used: usedMemory, max: maxMemory }, [counts])
  }

  #refusal(request: Request): Refusal | undefined {
    const { shard, config, bytesPerRecord } = this.#options
    if (!shard.answers) return 'unreachable'
    if (this.#fill.level() === REFUSE) return 'watermark'
    const bytes = this.#pendingBytes + request.records * bytesPerRecord
    return this.#pendingBytes > 0 && bytes > config.max_pending ? 'busy' : undefined
  }

  #admit(request: Request, answer: (answer: Answer) => void): void {
    const refusal = this.#refusal(request)
    if (refusal === undefined) this.#gather({ request, answer })
    else this.#refuse({ request, answer }, refusal)
  }

  #refuse({ request, answer }: Waiting, refusal: Refusal): void {
    this.#options.ledger.refused[refusal] += request.records
    const full = refusal === 'watermark' || refusal === 'full'
    answer({ ok: false, retryAfter: full ? this.#fill.retryAfter() : RETRY_AFTER })
  }

  /**
   * As src/buffer/group-commit.ts: half an element goes at once, and so does anything while nothing is under way; the rest
   * waits for others for a few milliseconds.
   */
  #gather(waiting: Waiting): void {
    const { clock, config, bytesPerRecord } = this.#options
    const bytes = waiting.request.records * bytesPerRecord
    this.#pendingBytes += bytes
    if (this.#groupBytes > 0 && this.#groupBytes + bytes > config.element_size) this.#flush()
    this.#group.push(waiting)
    this.#groupBytes += bytes
    if (this.#groupBytes * 2 > config.element_size) {
      this.#flush()
    } else if (this.#group.length === 1) {
      const group = this.#groupNumber
      clock.after(this.#underWay === 0 ? 0 : config.linger, () => {
        if (group === this.#groupNumber) this.#flush()
      })
    }
  }

  #flush(): void {
    const { shard } = this.#options
    const group = this.#group
    const bytes = this.#groupBytes
    const life = this.#life
    this.#group = []
    this.#groupBytes = 0
    this.#groupNumber++
    const element: Element = {
      requests: group.map(({ request }) => request),
      records: group.reduce((sum, { request }) => sum + request.records, 0),
      bytes,
      pushedMs: 0,
    }
    const written = this.#fill.writing(shard.memoryOf(element.records), element.records)
    this.#underWay++
    shard.push(element, (refusal) => {
      written()
      if (life !== this.#life) return
      this.#underWay--
      this.#pendingBytes -= bytes
      for (const waiting of group) {
        if (refusal === undefined) waiting.answer({ ok: true })
        else this.#refuse(waiting, refusal)
      }
    })
  }
}
