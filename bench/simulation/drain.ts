import { Circuit, type Outcome } from './circuit.ts'
import type { Clock } from './clock.ts'
import { Deadlines } from './deadlines.ts'
import type { Elasticsearch } from './elasticsearch.ts'
import { Fifo } from './fifo.ts'
import type { Ledger } from './ledger.ts'
import type { Random } from './random.ts'
import { Server } from './server.ts'
import type { Element, Shard, Worker } from './shard.ts'
import type { DeliveryRules } from './topology.ts'

export interface DrainCosts {
  /** CPU milliseconds. */
  readonly perRequest: number
  readonly perRecord: number
  readonly variation: number
}

export interface DrainOptions {
  readonly clock: Clock
  readonly random: Random
  readonly ledger: Ledger
  readonly shard: Shard
  readonly elasticsearch: Elasticsearch
  readonly costs: DrainCosts
  readonly delivery: DeliveryRules
  /** After how many milliseconds others get what a dead drain held. */
  readonly workerTimeout: number
}

/** After a command of the buffer that got no answer (connectors/redis/stream/consumer.ts). */
const TROUBLE_PAUSE = 500

/** One drain process: takes elements, gathers them into bulk requests, and has several of those under way. */
export class Drain implements Worker {
  readonly cpu: Server
  readonly #options: DrainOptions
  readonly #timeouts: Deadlines
  readonly #ready = new Fifo<Element>()
  #circuit: Circuit
  #alive = true
  #life = 0
  #taking = false
  #underWay = 0
  #group: Element[] = []
  #groupBytes = 0
  #groupNumber = 0
  /** The group has waited long enough for more. */
  #groupLate = false
  #node: number

  constructor(options: DrainOptions) {
    this.#options = options
    this.cpu = new Server(options.clock)
    this.#timeouts = new Deadlines(options.clock, options.delivery.timeout)
    this.#circuit = this.#newCircuit()
    this.#node = Math.floor(options.random.uniform() * 1e6)
    this.#gather()
  }

  wake(): void {
    this.#taking = false
    this.#gather()
  }

  expelled(): void {
    this.#ready.clear()
  }

  /** Its zone is gone. What it holds is put back once its silence has been noticed. */
  kill(): void {
    const { clock, random, shard, workerTimeout } = this.#options
    this.#alive = false
    this.#life++
    this.cpu.reset()
    this.#ready.clear()
    this.#group = []
    this.#groupBytes = 0
    this.#groupNumber++
    this.#underWay = 0
    this.#taking = false
    clock.after(workerTimeout * (1 + random.uniform() / 3), () => shard.putBack(this))
  }

  revive(): void {
    this.#alive = true
    this.#circuit = this.#newCircuit()
    this.#gather()
  }

  #newCircuit(): Circuit {
    const { clock, random, delivery } = this.#options
    return new Circuit(clock, random, delivery.retry_on_failure)
  }

  /** As src/delivery/gather.ts and drain.ts: no more is gathered while as many requests as may be are under way. */
  #gather(): void {
    const { clock, delivery } = this.#options
    const { batch, num_consumers } = delivery.sending_queue
    while (this.#alive && this.#underWay < num_consumers) {
      while (this.#groupBytes < batch.max_size) {
        const element = this.#ready.shift()
        if (element === undefined) break
        if (this.#group.length === 0) this.#startGroup(clock, batch.flush_timeout)
        this.#group.push(element)
        this.#groupBytes += element.bytes
      }
      if (this.#groupBytes < batch.max_size && !(this.#groupLate && this.#group.length > 0)) {
        this.#take()
        return
      }
      const group = this.#group
      this.#group = []
      this.#groupBytes = 0
      this.#groupNumber++
      this.#underWay++
      this.#send(group)
    }
  }

  #startGroup(clock: Clock, flushTimeout: number): void {
    const group = ++this.#groupNumber
    this.#groupLate = false
    clock.after(flushTimeout, () => {
      if (group !== this.#groupNumber) return
      this.#groupLate = true
      this.#gather()
    })
  }

  #take(): void {
    if (this.#taking) return
    this.#taking = true
    const { clock, shard } = this.#options
    const life = this.#life
    shard.take(this, (elements) => {
      if (life !== this.#life) return
      if (elements === undefined) {
        clock.after(TROUBLE_PAUSE, () => life === this.#life && this.wake())
        return
      }
      if (elements.length === 0) {
        shard.idle(this)
        return
      }
      this.#taking = false
      for (const element of elements) this.#ready.push(element)
      this.#gather()
    })
  }

  #send(elements: readonly Element[]): void {
    const life = this.#life
    this.#circuit.run(
      (settle) => this.#attempt(elements, settle),
      (outcome) => {
        if (life !== this.#life) return
        if (outcome.ok) this.#acknowledge(elements)
        else this.#send(elements)
      },
    )
  }

  #attempt(elements: readonly Element[], settle: (outcome: Outcome) => void): void {
    const { clock, random, ledger, costs, elasticsearch } = this.#options
    const records = elements.reduce((sum, element) => sum + element.records, 0)
    const requests = elements.reduce((sum, element) => sum + element.requests.length, 0)
    const cost = (costs.perRequest * requests + costs.perRecord * records) * random.factor(costs.variation)
    const life = this.#life
    let ended = false
    const end = (outcome: Outcome): void => {
      if (ended || life !== this.#life) return
      ended = true
      inTime()
      settle(outcome)
    }
    const inTime = this.#timeouts.set(() => end({ ok: false, retryAfter: 0 }))
    this.cpu.run(
      () => cost,
      () => {
        if (ended) return
        elasticsearch.bulk(this.#node++, records, (outcome) => {
          // Indexed is indexed, whether or not the drain still listens.
          if (outcome.ok) {
            for (const { requests: indexed } of elements) {
              for (const request of indexed) ledger.deliver(request, clock.now)
            }
          }
          end(outcome)
        })
      },
    )
  }

  #acknowledge(elements: readonly Element[]): void {
    const life = this.#life
    this.#options.shard.settle(this, elements, () => {
      if (life !== this.#life) return
      this.#underWay--
      this.#gather()
    })
  }
}
