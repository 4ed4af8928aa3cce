import { describe, expect, it } from 'vitest'
import { load, problems } from './fakes.ts'

/** A buffer with the given overflow, beside other connectors. */
const withOverflow = (overflow: string, more = '', service = ''): string => `receivers:
  otlp: { protocols: { grpc: } }
exporters:
  debug:
connectors:
  redis: { url: "redis://127.0.0.1", overflow: ${overflow} }
  disk/spill:
${more}service:
${service}  pipelines:
    logs/gateway: { receivers: [otlp], exporters: [redis] }
    logs/drain: { receivers: [redis], exporters: [debug] }
`

describe('the overflow of a connector', () => {
  it('is another connector, which no pipeline has to name', () => {
    const config = load(withOverflow('disk/spill'))

    expect([...config.overflows]).toEqual([['redis', 'disk/spill']])
    expect(config.warnings).toEqual([])
  })

  it.each([
    [
      'is defined',
      withOverflow('disk/spil'),
      'config.yaml:6:48: connectors.redis.overflow: connector "disk/spil" is not defined, did you mean "disk/spill"?',
    ],
    [
      'can keep what another does not take',
      withOverflow('redis'),
      'config.yaml:6:48: connectors.redis.overflow: "redis" cannot keep what another connector does not take',
    ],
    [
      'belongs to one connector',
      withOverflow('disk/spill', '  redis/b: { url: "redis://b", overflow: disk/spill }\n').replaceAll(
        '[redis]',
        '[redis, redis/b]',
      ),
      'config.yaml:8:42: connectors.redis/b.overflow: "disk/spill" is the overflow of "redis" already: each needs one of its own',
    ],
    [
      'is not used by a pipeline',
      withOverflow('disk/spill').replaceAll('[redis]', '[redis, disk/spill]'),
      'config.yaml:6:48: connectors.redis.overflow: "disk/spill" is used by pipeline "logs/gateway": an overflow needs a connector of its own',
    ],
  ])('%s', (_, yaml, problem) => {
    expect(problems(yaml)).toEqual([problem])
  })

  it('is where its buffer is filled: in one process, when it works in one only', () => {
    const processes = (count: number): string =>
      `  processes: [{ pipelines: [logs/gateway], count: ${count} }, { pipelines: [logs/drain], count: 2 }]\n`

    expect(problems(withOverflow('disk/spill', '', processes(1)))).toEqual([])
    expect(problems(withOverflow('disk/spill', '', processes(2)))).toEqual([
      'config.yaml:9:51: service.processes[0].count: connector "disk/spill" works in one process only, its folder has one owner: put logs/gateway in one group with count 1',
    ])
  })
})
