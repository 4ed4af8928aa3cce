/** Where a figure comes from. */
export type Source =
  /** By `npm run bench`, or by what `from` names, on the machine of docs/performance.md. */
  | 'measured'
  /** What the service is to carry. */
  | 'demand'
  /** A rule of ours for how much to spare. */
  | 'rule'
  /** From a public source. */
  | 'public'
  /** Nobody measured it: replace it first. */
  | 'estimate'

export interface Parameter {
  readonly value: number
  readonly unit: string
  readonly source: Source
  readonly from: string
}

const of =
  (source: Source) =>
  (value: number, unit: string, from: string): Parameter => ({ value, unit, source, from })
const measured = of('measured')
const demand = of('demand')
const rule = of('rule')
const known = of('public')
const estimate = of('estimate')

const PERFORMANCE = '`npm run bench`, docs/performance.md, as measured (not divided by slowness)'
const PAYLOAD = 'bench/payload.ts through the code itself'

/**
 * Every figure of the model that is not a default in the code: change them here, then run `npm run simulate -- --write`.
 * Costs are CPU of the whole process.
 */
export const parameters = {
  bytesPerRecord: measured(1305, 'B', `OTLP, ${PAYLOAD}`),
  packedPerRecord: measured(222, 'B', `elements of 1 MiB, zstd, ${PAYLOAD}`),
  bulkPerRecord: measured(1951, 'B', `bulk body, ${PAYLOAD}`),
  redisMemoryFactor: measured(1.11, '×', 'used_memory per packed byte, `npm run simulate -- --validate`'),
  gatewayLarge: measured(12.8, 'µs/record', `requests of 500, ${PERFORMANCE}`),
  gatewaySmall: measured(27.8, 'µs/record', `requests of 20, ${PERFORMANCE}`),
  drainLarge: measured(8.8, 'µs/record', `requests of 500, ${PERFORMANCE}`),
  drainSmall: measured(13, 'µs/record', `requests of 20, ${PERFORMANCE}`),
  redis: measured(3.1, 'µs/record', PERFORMANCE),
  slowness: measured(2.01, '×', 'how much slower that machine was than that of the budgets'),
  gatewayMemory: measured(240, 'MB', 'resident, docs/performance.md'),
  drainMemory: measured(300, 'MB', 'resident, docs/performance.md'),
  refusedShare: estimate(
    0.7,
    'share',
    'of the work is done when the buffer refuses: all but hash and zstd, by the CPU profile in docs/performance.md',
  ),
  redisPushShare: estimate(0.6, 'share', 'of the CPU of Redis; taking has 0.3, settling 0.1'),
  cpuVariation: estimate(
    0.3,
    '×',
    'standard deviation of the cost of a request: garbage collection, neighbours',
  ),

  users: demand(10_000_000, 'users', 'concurrent'),
  spikeFactor: demand(5, '×', 'of the usual rate'),
  spikeMinutes: demand(6, 'min', ''),
  outageMinutes: demand(30, 'min', 'of Elasticsearch, to be bridged without a loss'),
  clientRate: estimate(200, 'records/s', 'of one process with an SDK'),

  outageReserve: rule(1.1, '×', 'of the backlog of such an outage fits below the watermark'),
  normalUse: rule(0.6, 'share', 'of a core, at the usual rate'),
  peakUse: rule(0.85, 'share', 'of a core, in a spike, or while a zone is away'),
  zones: rule(3, '', 'each can be missed'),
  deliveryHeadroom: rule(
    1.65,
    '×',
    'drains and Elasticsearch: two zones of three still take 1.1 times the usual rate',
  ),
  shardMemory: rule(32, 'GiB', 'maxmemory of one Redis at most: forks and resyncs stay short'),
  shardMachine: rule(1.5, '×', 'of maxmemory, for AOF rewrites, which copy on write, and replica buffers'),
  clusterNodes: rule(150, 'nodes', 'data nodes of one Elasticsearch cluster at most'),

  nodeRate: estimate(
    10_000,
    'records/s',
    'of a data node of 16 vCPU, 64 GiB, one replica included. Public: 125,000 documents/s for each 8-vCPU node, of 130 B, without replica and ids (Alibaba Cloud, Rally http_logs on 8.9.1); ours are 15 times as large',
  ),
  nodeCores: rule(16, 'vCPU', ''),
  nodeMemory: rule(64, 'GiB', ''),
  nodeHeap: known(31, 'GB', 'largest heap with compressed pointers'),
  pendingShare: known(0.1, 'share', 'of the heap in bulks before 429: indexing_pressure.memory.limit'),
  nodeSlots: estimate(2, 'bulks', 'that a node works on at a time: one of 4 MiB takes 0.6 s'),
  bulkOverhead: estimate(15, 'ms', 'of a bulk, however small'),
  bulkVariation: estimate(0.4, '×', 'standard deviation of its duration: merges, refreshes, collections'),
  diskPerRecord: estimate(650, 'B', 'on disk, each copy: logsdb, stored source'),
  restartSeconds: estimate(180, 's', 'that a restarted node is away'),
  restartShare: rule(0.05, 'share', 'of the nodes restarted at a time'),
  restartStall: estimate(1, 's', 'until replicas are primaries, of a node that says goodbye'),
  zoneStall: known(30, 's', 'until nodes that fell silent are dropped: three checks of 10 s'),

  senderNetwork: estimate(2, 'ms', 'from an SDK to a gateway and back'),
  bulkNetwork: estimate(2, 'ms', 'from a drain to Elasticsearch and back'),
  balancerDetection: estimate(5, 's', 'until a balancer takes out what is dead, and resets its connections'),
  failover: estimate(15, 's', 'until the replica of a vanished Redis answers under its name'),
  replicationLag: estimate(20, 'ms', 'of a replica in another zone'),
  emptyRedis: estimate(8, 'MB', 'used by a Redis with nothing in it'),
} satisfies Record<string, Parameter>
