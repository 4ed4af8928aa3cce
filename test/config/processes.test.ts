import { describe, expect, it } from 'vitest'
import { redactedYaml } from '../../src/config/print.ts'
import { load, problems } from './fakes.ts'

/** `service.processes` starts at line 16. */
function withProcesses(processes: string, { gateway = 'redis', drain = 'debug' } = {}): string {
  const buffer = gateway === 'redis' ? '  redis: { url: "redis://redis:6379" }' : '  disk:'
  return `receivers:
  otlp: { protocols: { grpc: } }
  otlp/2: { protocols: { http: } }
processors:
  redaction:
exporters:
  debug:
connectors:
${buffer}
service:
  pipelines:
    logs/gateway: { receivers: [otlp], processors: [redaction], exporters: [${gateway}] }
    logs/copy: { receivers: [otlp], exporters: [debug] }
    logs/other: { receivers: [otlp/2], exporters: [debug] }
    logs/drain: { receivers: [${gateway}], exporters: [${drain}] }
  processes:${processes}
`
}

const REST = `
    - { pipelines: [logs/other], count: auto }
    - { pipelines: [logs/drain] }`
const GROUPS = `
    - { pipelines: [logs/gateway, logs/copy], count: 2 }${REST}`

describe('service.processes', () => {
  it('is nothing where it is not written: one process as ever', () => {
    expect(load(withProcesses('')).processes).toBeUndefined()
  })

  it.each(['3', '${env:COUNT}'])('takes a number for all pipelines: %s', (count) => {
    const { processes } = load(withProcesses(` ${count}`), { COUNT: '3' })

    expect(processes).toEqual([
      { pipelines: ['logs/gateway', 'logs/copy', 'logs/other', 'logs/drain'], count: 3 },
    ])
  })

  it('takes groups, of one process where no number is given', () => {
    expect(load(withProcesses(GROUPS)).processes).toEqual([
      { pipelines: ['logs/gateway', 'logs/copy'], count: 2 },
      { pipelines: ['logs/other'], count: 'auto' },
      { pipelines: ['logs/drain'], count: 1 },
    ])
  })

  it('is printed with its defaults', () => {
    expect(redactedYaml(load(withProcesses(GROUPS)))).toContain(`  processes:
    - pipelines:
        - logs/gateway
        - logs/copy
      count: 2
    - pipelines:
        - logs/other
      count: auto
    - pipelines:
        - logs/drain
      count: 1
`)
  })

  it.each([
    [
      'fewer than one process',
      ' 0',
      'config.yaml:16:14: service.processes: expected a number of processes from 1 to 256, or auto',
    ],
    [
      'a word that is no number',
      ' many',
      'config.yaml:16:14: service.processes: expected a number of processes from 1 to 256, or auto, or a list of groups',
    ],
    ['no group', ' []', 'config.yaml:16:14: service.processes: names no pipeline'],
    [
      'a group of no process',
      `
    - { pipelines: [logs/gateway, logs/copy], count: 0 }${REST}`,
      'config.yaml:17:54: service.processes[0].count: expected a number of processes from 1 to 256, or auto',
    ],
    [
      'a group of no pipeline',
      `
    - { pipelines: [], count: 2 }${GROUPS}`,
      'config.yaml:17:20: service.processes[0].pipelines: names no pipeline',
    ],
    [
      'a misspelt option',
      `
    - { pipelines: [logs/gateway, logs/copy], cuont: 2 }${REST}`,
      'config.yaml:17:47: service.processes[0].cuont: unknown option, did you mean "count"?',
    ],
    [
      'an unknown pipeline',
      `
    - { pipelines: [logs/gateway, logs/copy, logs/drian] }${REST}`,
      'config.yaml:17:46: service.processes[0].pipelines[2]: unknown pipeline "logs/drian", did you mean "logs/drain"?',
    ],
    [
      'a pipeline twice in a group',
      `
    - { pipelines: [logs/gateway, logs/copy, logs/copy] }${REST}`,
      'config.yaml:17:46: service.processes[0].pipelines[2]: "logs/copy" is listed twice',
    ],
    [
      'a pipeline in two groups',
      `${GROUPS}
    - { pipelines: [logs/other] }`,
      'config.yaml:20:21: service.processes[3].pipelines[0]: "logs/other" is in processes[1] already',
    ],
    [
      'a pipeline in no group',
      `
    - { pipelines: [logs/gateway, logs/copy] }
    - { pipelines: [logs/drain] }`,
      'config.yaml:17:5: service.processes: no group runs logs/other',
    ],
    [
      'pipelines of one receiver in two groups',
      `
    - { pipelines: [logs/gateway] }
    - { pipelines: [logs/copy] }${REST}`,
      'config.yaml:18:20: service.processes[1].pipelines: receiver "otlp" pushes to logs/gateway and logs/copy alike: put them in one group',
    ],
  ])('refuses %s', (_, processes, problem) => {
    expect(problems(withProcesses(processes))).toEqual([problem])
  })
})

describe('a component that works in one process only', () => {
  const disk = { gateway: 'disk' }
  const advice =
    'connector "disk" works in one process only, its folder has one owner: put logs/gateway and logs/drain in one group with count 1'

  it.each([
    ['all pipelines run several times', ' 2', `16:14: service.processes: ${advice}`],
    ['there may be several cores', ' auto', `16:14: service.processes: ${advice}`],
    [
      'its pipelines are apart',
      `
    - { pipelines: [logs/gateway, logs/copy] }${REST}`,
      `19:20: service.processes[2].pipelines: ${advice}`,
    ],
    [
      'its group runs several times',
      `
    - { pipelines: [logs/gateway, logs/copy, logs/drain], count: 2 }
    - { pipelines: [logs/other] }`,
      `17:66: service.processes[0].count: ${advice}`,
    ],
  ])('is refused where %s', (_, processes, problem) => {
    expect(problems(withProcesses(processes, disk))).toEqual([`config.yaml:${problem}`])
  })

  it('is fine in one group of one process, however many others there are', () => {
    const processes = `
    - { pipelines: [logs/gateway, logs/copy, logs/drain], count: 1 }
    - { pipelines: [logs/other], count: 2 }`

    expect(problems(withProcesses(processes, disk))).toEqual([])
    expect(problems(withProcesses(' 1', disk))).toEqual([])
  })

  it('is no obstacle where no pipeline uses it', () => {
    expect(problems(withProcesses(' 2').replace('connectors:', 'connectors:\n  disk:'))).toEqual([])
  })
})
