import type { Outcome } from './circuit.ts'
import type { Clock } from './clock.ts'
import type { Random } from './random.ts'
import { Server } from './server.ts'

export interface ElasticsearchSettings {
  /** Data nodes of the cluster. */
  readonly nodes: number
  /** Share of the cluster that the simulated cells have, 0 to 1: others have the rest. */
  readonly share: number
  /** Records per millisecond that a node indexes, its part of the replicas included. */
  readonly nodeRate: number
  /** Bulk requests a node works on at a time. */
  readonly slotsPerNode: number
  /** Milliseconds of every bulk request, whatever is in it. */
  readonly overhead: number
  /** Standard deviation of a bulk's duration, as a share of it. */
  readonly variation: number
  /** Records that may wait and be worked on per node before it answers 429: a tenth of its heap. */
  readonly pendingPerNode: number
  /** Whether a balancer with health checks stands before the nodes; else drains take them in turn, dead or not. */
  readonly balanced: boolean
  /** Milliseconds to the cluster and back. */
  readonly network: number
}

/** A node that is away refuses connections, is silent, or is passed over by a balancer that knows. */
export type Reach = 'refused' | 'silent' | 'passed_over'

/** An Elasticsearch cluster as drains see it: capacity to index, nodes that come and go, and outages. */
export class Elasticsearch {
  readonly write: Server
  readonly #clock: Clock
  readonly #random: Random
  readonly #settings: ElasticsearchSettings
  /** Nodes that do no work, from a number up to another, and how they are met. */
  #away: readonly [from: number, to: number] = [0, 0]
  #reach: Reach = 'passed_over'
  #down = false
  #stalledUntil = 0
  #pending = 0
  /** Milliseconds that a slot takes for a record. */
  #perRecord = 0

  constructor(clock: Clock, random: Random, settings: ElasticsearchSettings) {
    this.#clock = clock
    this.#random = random
    this.#settings = settings
    this.write = new Server(clock)
    this.#resize()
  }

  /** `done` hears nothing where a node is silent: the attempt times out. */
  bulk(turn: number, records: number, done: (outcome: Outcome) => void): void {
    const { nodes, network, pendingPerNode, share, variation, overhead } = this.#settings
    const answer = (outcome: Outcome): void => this.#clock.after(network, () => done(outcome))
    const node = turn % nodes
    const met = node >= this.#away[0] && node < this.#away[1] ? this.#reach : undefined
    if (met === 'silent') return
    if (this.#down || met === 'refused' || this.#pending + records > pendingPerNode * nodes * share) {
      answer(FAILED)
      return
    }
    this.#pending += records
    const factor = this.#random.factor(variation)
    this.write.run(
      () =>
        Math.max(0, this.#stalledUntil - this.#clock.now) + (overhead + records * this.#perRecord) * factor,
      () => {
        this.#pending -= records
        answer(this.#down ? FAILED : { ok: true })
      },
    )
  }

  /** Refuses everything, or takes it again. */
  outage(down: boolean): void {
    this.#down = down
  }

  /** Nodes from one number up to another are away; none when the two are the same. */
  away(from: number, to: number, reach: Reach): void {
    this.#away = [from, to]
    this.#reach = reach
    this.#resize()
  }

  /** Nothing is indexed for a while: shards look for their new primary. */
  stall(ms: number): void {
    this.#stalledUntil = this.#clock.now + ms
  }

  #resize(): void {
    const { nodes, share, nodeRate, slotsPerNode } = this.#settings
    const up = (nodes - (this.#away[1] - this.#away[0])) * share
    const slots = Math.max(1, Math.round(up * slotsPerNode))
    this.#perRecord = slots / (up * nodeRate)
    this.write.resize(slots)
  }
}

const FAILED: Outcome = { ok: false, retryAfter: 0 }
