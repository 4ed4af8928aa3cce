import { PATH } from '../budgets.ts'
import { costs, perRecord } from './costs.ts'
import { bytes, count, figures, percent, table } from './format.ts'
import { type Parameter, parameters as p } from './parameters.ts'
import { GIB, memoryFor, type Plan, planFor, redisCosts } from './plan.ts'

/** Records per second that docs/scale.md is about. */
export const RATES = [68_000, 200_000, 500_000, 1_000_000, 5_000_000]

const DAY = 86_400
/** Where a shard is rolled over, by Elastic's advice. */
const ROLLOVER_BYTES = 50e9
/** CPU a Redis machine has: its one thread, and others for the disk, the replica and the kernel. */
const REDIS_CORES = 2

type Row = readonly [what: string, of: (plan: Plan) => string]

/** The plan for the lowest and the highest rate, in a sentence. */
export function planSentence(): string {
  const sentences = [RATES[0], RATES[RATES.length - 1]].map((rate) => {
    const plan = planFor(rate)
    const search = count(plan.nodes * p.nodeCores.value)
    return `at ${count(rate)} records/s ${count(plan.cells)} cells with ${count(sluiceCores(plan))} cores of Sluice, ${count(redisCores(plan))} of Redis and ${search} of Elasticsearch`
  })
  return `- By what was *measured* on a slow machine: ${sentences.join('; ')}.`
}

/** What to run, by rate. */
export function sizingTable(): string {
  return byRate([
    ['records per user and minute', ({ rate }) => figures((rate * 60) / p.users.value)],
    ['cells: Redis primary and replica, with gateways and drains', ({ cells }) => count(cells)],
    ['gateways, one core each', ({ cells, gatewaysPerCell }) => count(cells * gatewaysPerCell)],
    ['drains, one core each', ({ cells, drainsPerCell }) => count(cells * drainsPerCell)],
    ['`num_consumers` of a drain', ({ consumers }) => String(consumers)],
    ['`maxmemory` of each Redis', ({ maxMemory }) => bytes(maxMemory)],
    ['core of a Redis in use: usual, in the spike', (plan) => redisUse(plan)],
    ['Elasticsearch data nodes, 16 vCPU', ({ nodes }) => count(nodes)],
    ['clusters of these', ({ clusters }) => String(clusters)],
    [
      'primary shards per write index, one replica each',
      ({ nodes, clusters }) => count(Math.ceil(nodes / clusters)),
    ],
    ['hours until such a shard has 50 GB', (plan) => figures(hoursToRollover(plan))],
  ])
}

/** What that takes. */
export function costTable(): string {
  return byRate([
    ['cores: gateways and drains', (plan) => count(sluiceCores(plan))],
    ['cores: Redis', (plan) => count(redisCores(plan))],
    ['cores: Elasticsearch', ({ nodes }) => count(nodes * p.nodeCores.value)],
    ['RAM: gateways and drains', (plan) => bytes(sluiceMemory(plan))],
    ['RAM: Redis with replicas', (plan) => bytes(redisMachine(plan) * plan.cells * 2)],
    ['RAM: Elasticsearch', ({ nodes }) => bytes(nodes * p.nodeMemory.value * GIB)],
    [
      'disk a day: Elasticsearch, two copies',
      ({ rate }) => `${count(rate * DAY * p.diskPerRecord.value * 2)}B`,
    ],
    ['disk: AOF of all Redis, twice the backlog', ({ cells, maxMemory }) => bytes(cells * 2 * 2 * maxMemory)],
    ['network: senders to gateways', ({ rate }) => bits(rate * p.bytesPerRecord.value)],
    ['network: one Redis in the spike, in and out', (plan) => bits(redisNetwork(plan))],
    ['network: drains to Elasticsearch, no gzip', ({ rate }) => bits(rate * p.bulkPerRecord.value)],
  ])
}

/** Cores that gateways, drains and Redis keep busy at the usual rate, by whose figures. */
export function cpuTable(): string {
  const measured = perRecord(costs.gateway, p.clientRate.value) + costs.drain.perRecord + p.redis.value / 1000
  const budget = (PATH[500]?.whole ?? 0) / 1000
  const basis: Row[] = [
    ['as measured', ({ rate }) => count((rate * measured) / 1000)],
    ['the same, divided by slowness', ({ rate }) => count((rate * measured) / 1000 / p.slowness.value)],
    ['budget', ({ rate }) => count((rate * budget) / 1000)],
  ]
  return byRate(basis)
}

/** maxmemory of all primaries together, by how long an outage it bridges. */
export function memoryTable(): string {
  const minutes = [5, 15, 30, 60, 120]
  return byRate(minutes.map((each): Row => [`${each} min`, ({ rate }) => bytes(memoryFor(rate, each))]))
}

/** Every figure the model is made of that is no default in the code. */
export function parameterTable(): string {
  const rows = Object.entries(p as Record<string, Parameter>).map(([name, { value, unit, source, from }]) => [
    `\`${name}\``,
    `${value.toLocaleString('en-US')}${unit && ` ${unit}`}`,
    source === 'estimate' ? '**estimate**' : source,
    from,
  ])
  return table([['parameter', 'value', 'source', 'what, and from where'], ...rows])
}

function byRate(rows: readonly Row[]): string {
  const plans = RATES.map(planFor)
  return table([['records/s', ...RATES.map(count)], ...rows.map(([what, of]) => [what, ...plans.map(of)])])
}

function redisUse({ rate, cells }: Plan): string {
  const { push, take, settle } = redisCosts
  const each = rate / cells / 1000
  const spike = p.spikeFactor.value * push + p.deliveryHeadroom.value * (take + settle)
  return `${percent(each * (push + take + settle))}, ${percent(each * spike)}`
}

function hoursToRollover({ rate, nodes }: Plan): number {
  return ROLLOVER_BYTES / ((rate / nodes) * p.diskPerRecord.value) / 3600
}

function sluiceCores({ cells, gatewaysPerCell, drainsPerCell }: Plan): number {
  return cells * (gatewaysPerCell + drainsPerCell)
}

const redisCores = ({ cells }: Plan): number => cells * 2 * REDIS_CORES

function sluiceMemory({ cells, gatewaysPerCell, drainsPerCell }: Plan): number {
  return cells * (gatewaysPerCell * p.gatewayMemory.value + drainsPerCell * p.drainMemory.value) * 1e6
}

const redisMachine = ({ maxMemory }: Plan): number => maxMemory * p.shardMachine.value

/** Elements come in once, and go out to drains and to the replica. */
function redisNetwork({ rate, cells }: Plan): number {
  return (rate / cells) * p.packedPerRecord.value * (2 * p.spikeFactor.value + p.deliveryHeadroom.value)
}

const bits = (bytesPerSecond: number): string => `${count(bytesPerSecond * 8)}bit/s`
