import { z } from 'zod'
import { RedisConfig } from '../../connectors/redis/config.ts'
import type { BackoffSettings } from '../../src/delivery/circuit.ts'
import { type DeliverySettings, deliveryShape } from '../../src/delivery/config.ts'
import { costs } from './costs.ts'
import type { DrainCosts } from './drain.ts'
import type { ElasticsearchSettings } from './elasticsearch.ts'
import type { GatewayCosts } from './gateway.ts'
import { parameters as p } from './parameters.ts'
import { memoryPerRecord, type Plan, redisCosts } from './plan.ts'
import type { SdkSettings } from './sdk-client.ts'
import { sdkDefaults } from './sdk-defaults.ts'
import type { ShardSettings } from './shard.ts'

/** Everything a simulation is built from. Milliseconds, bytes, records. */
export interface Topology {
  /** Cells that are simulated, one whose Redis primary is in each zone. */
  readonly cells: number
  readonly gatewaysPerCell: number
  readonly drainsPerCell: number
  readonly zones: number
  /** Records per millisecond, of all simulated cells. */
  readonly rate: number
  readonly senders: Senders
  readonly network: number
  readonly bytesPerRecord: number
  readonly gateway: GatewayCosts
  readonly drain: DrainCosts
  readonly redis: RedisRules
  readonly delivery: DeliveryRules
  readonly shard: ShardSettings
  readonly elasticsearch: ElasticsearchSettings
  readonly balancerDetection: number
  readonly failover: number
  readonly zoneStall: number
}

/** The settings of the connector that the model follows. Whatever else it has does not make results old. */
export type RedisRules = Pick<RedisConfig, (typeof REDIS_RULES)[number]>

const REDIS_RULES = [
  'element_size',
  'linger',
  'max_pending',
  'memory_high_watermark',
  'memory_low_watermark',
  'require_noeviction',
  'command_timeout',
  'worker_timeout',
  'prefetch',
] as const

/** The settings of delivery that the model follows; as many requests are under way as may be. */
export interface DeliveryRules {
  readonly timeout: number
  readonly retry_on_failure: BackoffSettings
  readonly sending_queue: {
    readonly num_consumers: number
    readonly batch: Pick<DeliverySettings['sending_queue']['batch'], 'flush_timeout' | 'max_size'>
  }
}

/** SDKs with their queues, or an open loop of requests of one size at an even pace. */
export type Senders =
  | { readonly kind: 'sdk'; readonly settings: SdkSettings; readonly rate: number }
  | { readonly kind: 'paced'; readonly recordsPerRequest: number; readonly retryAfter: number }

/** A share of the whole that is simulated: one cell for each zone. All others do the same. */
export const SIMULATED_CELLS = 3

/** What a plan looks like to the simulation. */
export function topologyOf(plan: Plan): Topology {
  const variation = p.cpuVariation.value
  const pendingBytes = p.nodeHeap.value * 1e9 * p.pendingShare.value
  return {
    cells: SIMULATED_CELLS,
    gatewaysPerCell: plan.gatewaysPerCell,
    drainsPerCell: plan.drainsPerCell,
    zones: p.zones.value,
    rate: (plan.rate * SIMULATED_CELLS) / plan.cells / 1000,
    senders: { kind: 'sdk', settings: sdkDefaults, rate: p.clientRate.value / 1000 },
    network: p.senderNetwork.value,
    bytesPerRecord: p.bytesPerRecord.value,
    gateway: { ...costs.gateway, refusedShare: p.refusedShare.value, variation },
    drain: { ...costs.drain, variation },
    redis: redisRules(),
    delivery: deliveryRules({ sending_queue: { num_consumers: plan.consumers } }),
    shard: {
      maxMemory: plan.maxMemory,
      emptyMemory: p.emptyRedis.value * 1e6,
      memoryPerRecord,
      pushPerRecord: redisCosts.push,
      takePerRecord: redisCosts.take,
      settlePerRecord: redisCosts.settle,
      replicationLag: p.replicationLag.value,
    },
    elasticsearch: {
      nodes: Math.round(plan.nodes / plan.clusters),
      share: (SIMULATED_CELLS / plan.cells) * plan.clusters,
      nodeRate: p.nodeRate.value / 1000,
      slotsPerNode: p.nodeSlots.value,
      overhead: p.bulkOverhead.value,
      variation: p.bulkVariation.value,
      pendingPerNode: pendingBytes / p.bulkPerRecord.value,
      balanced: true,
      network: p.bulkNetwork.value,
    },
    balancerDetection: p.balancerDetection.value * 1000,
    failover: p.failover.value * 1000,
    zoneStall: p.zoneStall.value * 1000,
  }
}

/** What the model follows of these settings. */
export function deliveryRules(settings: object): DeliveryRules {
  const { timeout, retry_on_failure, sending_queue } = z.object(deliveryShape).parse(settings)
  const { initial_interval, max_interval } = retry_on_failure
  const { flush_timeout, max_size } = sending_queue.batch
  return {
    timeout,
    retry_on_failure: { initial_interval, max_interval },
    sending_queue: { num_consumers: sending_queue.num_consumers, batch: { flush_timeout, max_size } },
  }
}

function redisRules(): RedisRules {
  const config = RedisConfig.parse({})
  return Object.fromEntries(REDIS_RULES.map((name) => [name, config[name]])) as RedisRules
}
