import { Balancer } from './balancer.ts'
import { Clock } from './clock.ts'
import { Drain } from './drain.ts'
import { Elasticsearch } from './elasticsearch.ts'
import { Gateway } from './gateway.ts'
import { Ledger, type Request } from './ledger.ts'
import type { Load } from './load.ts'
import { PacedSender } from './paced-sender.ts'
import { Random } from './random.ts'
import { SdkClient } from './sdk-client.ts'
import { Shard } from './shard.ts'
import type { Topology } from './topology.ts'

interface Cell {
  readonly shard: Shard
  readonly balancer: Balancer
  /** By zone. */
  readonly gateways: readonly Gateway[][]
  readonly drains: readonly Drain[][]
}

/** Where all records are, at one moment. */
export interface Account {
  readonly issued: number
  readonly delivered: number
  /** In Redis, and not delivered. */
  readonly buffered: number
  /** With their senders: in the queue, or in a request that is on its way. */
  readonly queued: number
  readonly lost: number
}

/** Senders, gateways, Redis, drains and Elasticsearch of a topology, ready to run; and the mishaps that befall them. */
export class System {
  readonly clock = new Clock()
  readonly ledger = new Ledger()
  readonly elasticsearch: Elasticsearch
  readonly cells: readonly Cell[]
  readonly #topology: Topology
  readonly #clients: SdkClient[] = []
  readonly #paced: PacedSender[] = []

  constructor(topology: Topology, load: Load, seed: number) {
    this.#topology = topology
    const random = new Random(seed)
    const { clock, ledger } = this
    this.elasticsearch = new Elasticsearch(clock, random.fork('elasticsearch'), topology.elasticsearch)
    this.cells = Array.from({ length: topology.cells }, (_, number) =>
      this.#cell(random.fork(`cell ${number}`)),
    )
    for (const [number, { balancer }] of this.cells.entries()) {
      const { senders, network } = topology
      const rate = topology.rate / topology.cells
      if (senders.kind === 'paced') {
        const { recordsPerRequest, retryAfter } = senders
        const options = { clock, ledger, load, balancer, network, recordsPerRequest, retryAfter }
        this.#paced.push(new PacedSender({ ...options, rate: rate / recordsPerRequest }))
        continue
      }
      const count = Math.max(1, Math.round(rate / senders.rate))
      const clientRandom = random.fork(`clients ${number}`)
      for (let client = 0; client < count; client++) {
        const { settings } = senders
        const own = { random: clientRandom.fork(`client ${client}`), rate: rate / count }
        this.#clients.push(new SdkClient({ clock, ledger, load, balancer, network, settings, ...own }))
      }
    }
  }

  /** Records in the buffers, in flight or not. */
  get backlog(): number {
    return this.cells.reduce((sum, { shard }) => sum + shard.records, 0)
  }

  /** Records in the queues of the senders. */
  get queued(): number {
    return this.#clients.reduce((sum, client) => sum + client.queued, 0)
  }

  /** The largest share of maxmemory that a Redis uses. */
  get memoryShare(): number {
    return Math.max(...this.cells.map(({ shard }) => shard.usedMemory / shard.maxMemory))
  }

  /** A zone vanishes, with a third of everything. */
  loseZone(zone: number): void {
    const { clock, elasticsearch } = this
    const { balancerDetection, failover, zoneStall, zones } = this.#topology
    const { nodes, balanced } = this.#topology.elasticsearch
    for (const [number, { shard, balancer, gateways, drains }] of this.cells.entries()) {
      for (const gateway of gateways[zone]) {
        gateway.kill()
        clock.after(balancerDetection, () => balancer.lose(gateway))
      }
      for (const drain of drains[zone]) drain.kill()
      if (number % zones !== zone) continue
      shard.fail()
      clock.after(failover, () => shard.promote())
    }
    const lost = Math.round(nodes / zones)
    elasticsearch.away(0, lost, 'silent')
    elasticsearch.stall(zoneStall)
    if (balanced) clock.after(balancerDetection, () => elasticsearch.away(0, lost, 'passed_over'))
  }

  /** It is back; what failed over stays where it is. */
  regainZone(zone: number): void {
    for (const { balancer, gateways, drains } of this.cells) {
      for (const gateway of gateways[zone]) {
        gateway.revive()
        balancer.regain(gateway)
      }
      for (const drain of drains[zone]) drain.revive()
    }
    this.elasticsearch.away(0, 0, 'passed_over')
  }

  /** Looks for every record where it is, instead of trusting the counts of those that came and went. */
  account(): Account {
    const buffered = new Set<Request>()
    for (const { shard } of this.cells) {
      for (const { requests } of shard.elements()) for (const request of requests) buffered.add(request)
    }
    const held = new Set<Request>()
    for (const { request } of this.#clients) if (request !== undefined) held.add(request)
    for (const { requests } of this.#paced) for (const request of requests) held.add(request)
    // An answer that is late or lost leaves a request in both.
    for (const request of buffered) held.delete(request)
    // Before the counts: senders write down what they emitted when they are asked.
    const queued = this.queued + undelivered(held)
    const { issued, delivered, allLost: lost } = this.ledger
    return { issued, delivered, buffered: undelivered(buffered), queued, lost }
  }

  #cell(random: Random): Cell {
    const { clock, ledger, elasticsearch } = this
    const { redis: config, zones, bytesPerRecord, shard: settings, delivery } = this.#topology
    const { gatewaysPerCell, drainsPerCell, gateway: gatewayCosts, drain: drainCosts } = this.#topology
    const shard = new Shard({ clock, ledger, config, settings, random: random.fork('shard') })
    const gateways: Gateway[][] = Array.from({ length: zones }, () => [])
    const drains: Drain[][] = Array.from({ length: zones }, () => [])
    for (let number = 0; number < gatewaysPerCell; number++) {
      const options = { clock, ledger, shard, config, bytesPerRecord, costs: gatewayCosts }
      gateways[number % zones].push(new Gateway({ ...options, random: random.fork(`gateway ${number}`) }))
    }
    for (let number = 0; number < drainsPerCell; number++) {
      const options = { clock, ledger, shard, elasticsearch, delivery, costs: drainCosts }
      const own = { random: random.fork(`drain ${number}`), workerTimeout: config.worker_timeout }
      drains[number % zones].push(new Drain({ ...options, ...own }))
    }
    return { shard, gateways, drains, balancer: new Balancer(random.fork('balancer'), gateways.flat()) }
  }
}

function undelivered(requests: Iterable<Request>): number {
  let records = 0
  for (const { delivered, records: each } of requests) if (!delivered) records += each
  return records
}
