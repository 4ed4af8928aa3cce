import { describe, expect, it } from 'vitest'
import { costs, perRecord } from '../../../bench/simulation/costs.ts'
import { parameters as p } from '../../../bench/simulation/parameters.ts'
import { gatewaysFor, memoryFor, planFor } from '../../../bench/simulation/plan.ts'
import { RATES } from '../../../bench/simulation/plan-tables.ts'

describe('a plan', () => {
  it('spreads everything evenly over the zones', () => {
    for (const rate of RATES) {
      const { cells, gatewaysPerCell, drainsPerCell, nodes } = planFor(rate)

      for (const number of [cells, gatewaysPerCell, drainsPerCell, nodes]) expect(number % 3).toBe(0)
    }
  })

  it('has gateways for the spike, and for the usual rate without a zone', () => {
    for (const rate of RATES) {
      const { cells, gatewaysPerCell } = planFor(rate)
      const perCore = 1000 / perRecord(costs.gateway, 500)

      expect(gatewaysPerCell * perCore).toBeGreaterThan((rate / cells) * p.spikeFactor.value)
      expect(gatewaysPerCell * (2 / 3) * perCore).toBeGreaterThan(rate / cells)
    }
    expect(gatewaysFor(50_000, 5)).toBeGreaterThan(gatewaysFor(50_000, 1))
  })

  it('has room below the watermark for the outage, in Redis servers that are not too large', () => {
    for (const rate of RATES) {
      const { cells, maxMemory } = planFor(rate)

      expect(cells * maxMemory).toBeGreaterThan(memoryFor(rate, p.outageMinutes.value))
      expect(maxMemory).toBeLessThanOrEqual(p.shardMemory.value * 1024 ** 3)
    }
  })

  it('has Elasticsearch nodes for more than the usual rate when a zone is away', () => {
    for (const rate of RATES) {
      const { nodes } = planFor(rate)

      expect(nodes * (2 / 3) * p.nodeRate.value).toBeGreaterThan(rate)
    }
  })

  it('reads the costs of a request and of a record out of what was measured', () => {
    expect(perRecord(costs.gateway, 500) * 1000).toBeCloseTo(p.gatewayLarge.value, 6)
    expect(perRecord(costs.gateway, 20) * 1000).toBeCloseTo(p.gatewaySmall.value, 6)
    expect(perRecord(costs.drain, 500) * 1000).toBeCloseTo(p.drainLarge.value, 6)
    expect(perRecord(costs.drain, 20) * 1000).toBeCloseTo(p.drainSmall.value, 6)
  })
})
