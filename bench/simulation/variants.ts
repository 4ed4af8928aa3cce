import { outageOf, type Scenario, scenarios } from './scenarios.ts'
import type { SdkSettings } from './sdk-client.ts'
import { STOCK_RETRY_BUDGET } from './sdk-defaults.ts'
import type { Topology } from './topology.ts'

/** A scenario on an installation that is not as planned, or one that the plan does not cover. */
export interface Variant {
  readonly name: string
  readonly title: string
  /** Records per second. */
  readonly rate: number
  readonly change: (topology: Topology) => Topology
  readonly scenario: (topology: Topology) => Scenario
}

const RATE = 68_000
const asPlanned = (topology: Topology): Topology => topology

/** What breaks, and how, when something is left out of the plan. */
export const variants: readonly Variant[] = [
  {
    name: 'outage-60',
    title: 'Elasticsearch away, 60 min instead of 30',
    rate: RATE,
    change: asPlanned,
    scenario: () => outageOf(60),
  },
  {
    name: 'outage-60-stock',
    title: 'the same; SDKs give up after 10 s, as the JavaScript exporter does',
    rate: RATE,
    change: (topology) => sdk(topology, { retryBudget: STOCK_RETRY_BUDGET }),
    scenario: () => outageOf(60),
  },
  {
    name: 'zone-queue',
    title: 'a zone lost; SDK queues of 8,192 records instead of 2,048',
    rate: RATE,
    change: (topology) => sdk(topology, { maxQueueSize: 8192 }),
    scenario: scenarios.zone,
  },
  {
    name: 'zone-list',
    title: 'a zone lost; drains list the nodes instead of going through a balancer',
    rate: RATE,
    change: listed,
    scenario: scenarios.zone,
  },
  {
    name: 'restart-list',
    title: 'rolling restart; drains list the nodes',
    rate: RATE,
    change: listed,
    scenario: scenarios.restart,
  },
  {
    name: 'spike-gateways',
    title: 'spike ×5; half of the gateways',
    rate: 500_000,
    change: (topology) => ({ ...topology, gatewaysPerCell: topology.gatewaysPerCell / 2 }),
    scenario: scenarios.spike,
  },
]

function sdk(topology: Topology, change: Partial<SdkSettings>): Topology {
  const { senders } = topology
  if (senders.kind !== 'sdk') return topology
  return { ...topology, senders: { ...senders, settings: { ...senders.settings, ...change } } }
}

function listed(topology: Topology): Topology {
  return { ...topology, elasticsearch: { ...topology.elasticsearch, balanced: false } }
}
