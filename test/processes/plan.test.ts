import { availableParallelism } from 'node:os'
import { describe, expect, it } from 'vitest'
import { planProcesses } from '../../src/processes/plan.ts'
import { load } from '../config/fakes.ts'

function plan(processes: string, names?: readonly string[]) {
  const yaml = `receivers:
  otlp: { protocols: { grpc: } }
exporters:
  debug:
connectors:
  redis: { url: "redis://redis:6379" }
  redis/2: { url: "redis://redis:6379" }
service:
  processes: ${processes}
  pipelines:
    logs/last: { receivers: [redis/2], exporters: [debug] }
    logs/gateway: { receivers: [otlp], exporters: [redis] }
    logs/drain: { receivers: [redis], exporters: [redis/2] }
`
  return planProcesses(load(yaml), names).map(({ name, group, pipelines, rank }) => [
    name,
    group,
    pipelines.join(),
    rank,
  ])
}

const APART =
  '[{ pipelines: [logs/last] }, { pipelines: [logs/gateway], count: 2 }, { pipelines: [logs/drain] }]'

describe('the plan of processes', () => {
  it('runs everything in each of a number of processes', () => {
    const all = 'logs/last,logs/gateway,logs/drain'

    expect(plan('2')).toEqual([
      ['all-1', 'all', all, 0],
      ['all-2', 'all', all, 0],
    ])
  })

  it('names processes after their pipelines, and ranks them by how far the records have come', () => {
    expect(plan(APART)).toEqual([
      ['last-1', 'last', 'logs/last', 2],
      ['gateway-1', 'gateway', 'logs/gateway', 0],
      ['gateway-2', 'gateway', 'logs/gateway', 0],
      ['drain-1', 'drain', 'logs/drain', 1],
    ])
  })

  it('ranks a group by the pipeline that records reach first', () => {
    expect(plan('[{ pipelines: [logs/drain] }, { pipelines: [logs/gateway, logs/last] }]')).toEqual([
      ['drain-1', 'drain', 'logs/drain', 1],
      ['last+gateway-1', 'last+gateway', 'logs/last,logs/gateway', 0],
    ])
  })

  it('has only the pipelines that are to run', () => {
    expect(plan(APART, ['logs/gateway'])).toEqual([
      ['gateway-1', 'gateway', 'logs/gateway', 0],
      ['gateway-2', 'gateway', 'logs/gateway', 0],
    ])
    expect(plan('1', ['logs/drain'])).toEqual([['drain-1', 'drain', 'logs/drain', 1]])
    expect(() => plan(APART, ['logs/gatway'])).toThrow('unknown pipeline "logs/gatway"')
  })

  it('starts as many processes as there are cores where it may choose', () => {
    expect(plan('auto')).toHaveLength(availableParallelism())
  })
})
