import { RedisConfig } from '../../connectors/redis/config.ts'
import { costs, perRecord } from './costs.ts'
import { parameters as p } from './parameters.ts'
import { sdkDefaults } from './sdk-defaults.ts'

/** What a rate needs. Cells are alike and share nothing: a Redis with its replica, and the gateways and drains of its stream. */
export interface Plan {
  /** Records per second. */
  readonly rate: number
  readonly cells: number
  readonly gatewaysPerCell: number
  readonly drainsPerCell: number
  /** `sending_queue.num_consumers` of a drain. */
  readonly consumers: number
  /** maxmemory of each Redis, bytes. */
  readonly maxMemory: number
  readonly nodes: number
  readonly clusters: number
}

export const GIB = 1024 ** 3
const MEMORY_STEP = 4 * GIB
const redis = RedisConfig.parse({})

/** Bytes of Redis memory that a record takes. */
export const memoryPerRecord = p.packedPerRecord.value * p.redisMemoryFactor.value

/** Redis CPU milliseconds per record, by what is done with it. */
export const redisCosts = {
  push: (p.redis.value * p.redisPushShare.value) / 1000,
  take: (p.redis.value * (1 - p.redisPushShare.value) * 0.75) / 1000,
  settle: (p.redis.value * (1 - p.redisPushShare.value) * 0.25) / 1000,
}

/** Bytes of maxmemory for `minutes` of `rate` records per second. */
export function memoryFor(rate: number, minutes: number): number {
  return (rate * minutes * 60 * memoryPerRecord) / redis.memory_high_watermark
}

export function planFor(rate: number): Plan {
  const minutes = p.outageMinutes.value * p.outageReserve.value
  const memory = memoryFor(rate, minutes)
  const byMemory = memory / (p.shardMemory.value * GIB)
  const redisCpu =
    p.spikeFactor.value * redisCosts.push + p.deliveryHeadroom.value * (redisCosts.take + redisCosts.settle)
  const byCpu = (rate * redisCpu) / 1000 / p.peakUse.value
  const cells = inZones(Math.max(byMemory, byCpu))
  const cellRate = rate / cells
  const nodes = inZones((rate * p.deliveryHeadroom.value) / p.nodeRate.value)
  const drainsPerCell = inZones(
    (cellRate * p.deliveryHeadroom.value * costs.drain.perRecord) / 1000 / p.peakUse.value,
  )
  // A third more than Elasticsearch can work on at once, so that it never waits for drains.
  const consumers = Math.ceil((1.33 * nodes * p.nodeSlots.value) / cells / drainsPerCell)
  return {
    rate,
    cells,
    gatewaysPerCell: gatewaysFor(cellRate, p.spikeFactor.value),
    drainsPerCell,
    consumers: Math.min(64, Math.max(4, consumers)),
    maxMemory: Math.ceil(memory / cells / MEMORY_STEP) * MEMORY_STEP,
    nodes,
    clusters: Math.ceil(nodes / p.clusterNodes.value),
  }
}

/** Gateways, each one core, for a rate that may grow by a factor for some minutes. */
export function gatewaysFor(rate: number, spike: number): number {
  const usual = (rate * perRecord(costs.gateway, p.clientRate.value)) / 1000
  const missing = p.zones.value / (p.zones.value - 1)
  const peak = (spike * rate * perRecord(costs.gateway, sdkDefaults.maxExportBatchSize)) / 1000
  return inZones(
    Math.max(usual / p.normalUse.value, (usual * missing) / p.peakUse.value, peak / p.peakUse.value),
  )
}

/** The same in every zone. */
function inZones(count: number): number {
  const zones = p.zones.value
  return zones * Math.max(1, Math.ceil(count / zones))
}
