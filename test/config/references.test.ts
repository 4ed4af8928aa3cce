import { describe, expect, it } from 'vitest'
import { ConfigError, formatIssue } from '../../src/config/errors.ts'
import { selectPipelines } from '../../src/config/pipelines.ts'
import { load, problems } from './fakes.ts'

const COMPONENTS = `receivers:
  otlp: { protocols: { grpc: } }
processors:
  redaction:
exporters:
  debug:
connectors:
  disk:
  redis: { url: "redis://redis:6379" }
extensions:
  health_check:
`
const GATEWAY = '    logs/gateway: { receivers: [otlp], processors: [redaction], exporters: [redis] }\n'
const DRAIN = '    logs/drain: { receivers: [redis], exporters: [debug] }\n'

/** Pipelines start at line 14, extensions stand in line 13. */
const withPipelines = (...lines: readonly string[]) =>
  `${COMPONENTS}service:\n  extensions: [health_check]\n  pipelines:\n${lines.join('')}`

describe('a pipeline', () => {
  it.each([
    [
      'for traces is refused, Sluice carries logs',
      '    traces/gateway: { receivers: [otlp], exporters: [debug] }\n',
      'config.yaml:15:5: service.pipelines.traces/gateway: Sluice carries logs only, not traces',
    ],
    [
      'for metrics is refused, Sluice carries logs',
      '    metrics: { receivers: [otlp], exporters: [debug] }\n',
      'config.yaml:15:5: service.pipelines.metrics: Sluice carries logs only, not metrics',
    ],
    [
      'of another name is refused',
      '    gateway: { receivers: [otlp], exporters: [debug] }\n',
      'config.yaml:15:5: service.pipelines.gateway: the name of a pipeline is "logs", or "logs/" and a name',
    ],
    [
      'has a name that can stand in metrics and keys',
      '    "logs/{a}": { receivers: [otlp], exporters: [debug] }\n',
      'config.yaml:15:5: service.pipelines.logs/{a}: after the slash stand letters, digits, ".", "_" and "-" only',
    ],
    [
      'names at least one receiver',
      '    logs: { receivers: [], exporters: [debug] }\n',
      'config.yaml:15:24: service.pipelines.logs.receivers: names no receiver',
    ],
    [
      'names at least one exporter',
      '    logs: { receivers: [otlp], exporters: [] }\n',
      'config.yaml:15:43: service.pipelines.logs.exporters: names no exporter',
    ],
    [
      'lists its exporters',
      '    logs: { receivers: [otlp] }\n',
      'config.yaml:15:5: service.pipelines.logs.exporters: required',
    ],
    [
      'names only what is defined',
      '    logs: { receivers: [otlp], processors: [redcation], exporters: [debug] }\n',
      'config.yaml:15:45: service.pipelines.logs.processors[0]: processor "redcation" is not defined, did you mean "redaction"?',
    ],
    [
      'is told all that is defined where nothing is near',
      '    logs: { receivers: [otlp], exporters: [debug, kafka] }\n',
      'config.yaml:15:51: service.pipelines.logs.exporters[1]: exporter or connector "kafka" is not defined, known: debug, disk, redis',
    ],
    [
      'names components where they belong',
      '    logs: { receivers: [otlp], processors: [debug], exporters: [debug] }\n',
      'config.yaml:15:45: service.pipelines.logs.processors[0]: "debug" is an exporter, expected a processor',
    ],
    [
      'names a component once',
      '    logs: { receivers: [otlp], processors: [redaction, redaction], exporters: [debug] }\n',
      'config.yaml:15:56: service.pipelines.logs.processors[1]: "redaction" is listed twice',
    ],
  ])('%s', (_, line, problem) => {
    expect(problems(withPipelines(line))).toEqual([problem])
  })

  it('is not the only thing a service may lack', () => {
    expect(problems(withPipelines('      {}\n'))).toEqual([
      'config.yaml:15:7: service.pipelines: names no pipeline',
    ])
    expect(problems(withPipelines())).toEqual(['config.yaml:14:3: service.pipelines: names no pipeline'])
  })
})

describe('an extension', () => {
  it('is started only when it is defined', () => {
    const yaml = withPipelines(GATEWAY, DRAIN).replace('[health_check]', '[health_chek]')

    expect(problems(yaml)).toEqual([
      'config.yaml:13:16: service.extensions[0]: extension "health_chek" is not defined, did you mean "health_check"?',
    ])
  })
})

describe('a connector', () => {
  it('is the end of one pipeline and the start of others, each of them a group', () => {
    const config = load(
      withPipelines(GATEWAY, DRAIN, '    logs/copy: { receivers: [redis, otlp], exporters: [debug] }\n'),
    )

    expect(config.groups('redis')).toEqual(['logs/drain', 'logs/copy'])
    expect(config.groups('disk')).toEqual([])
  })

  it('that is filled and never read is refused', () => {
    expect(problems(withPipelines(GATEWAY))).toEqual([
      'config.yaml:9:3: connectors.redis: filled, but never emptied: name it among the receivers of a pipeline too',
    ])
  })

  it('that is read and never filled is refused', () => {
    expect(problems(withPipelines(DRAIN))).toEqual([
      'config.yaml:9:3: connectors.redis: read, but never filled: name it among the exporters of a pipeline too',
    ])
  })

  it('is not called unused when the pipeline that uses it could not be read', () => {
    expect(problems(withPipelines(GATEWAY, DRAIN.replace('[debug]', 'debug')))).toEqual([
      'config.yaml:16:50: service.pipelines.logs/drain.exporters: expected a list',
    ])
  })

  it('has an id that no receiver or exporter has', () => {
    const yaml = withPipelines(GATEWAY, DRAIN).replace('  debug:\n', '  debug:\n  redis:\n')

    expect(problems(yaml)).toEqual([
      'config.yaml:7:3: exporters.redis: "redis" is no exporter, it belongs under connectors',
      'config.yaml:10:3: connectors.redis: there is also an exporter "redis": give one another name',
    ])
  })

  it('does not lead records in a circle', () => {
    const yaml = withPipelines(
      '    logs/in: { receivers: [otlp], exporters: [redis] }\n',
      '    logs/there: { receivers: [redis], exporters: [debug, disk] }\n',
      '    logs/back: { receivers: [disk], exporters: [redis] }\n',
    )

    expect(problems(yaml)).toEqual([
      'config.yaml:17:49: service.pipelines.logs/back.exporters[0]: records would go in a circle: logs/there → disk → logs/back → redis → logs/there',
    ])
  })

  it('does not feed its own pipeline', () => {
    const yaml = withPipelines('    logs: { receivers: [otlp, redis], exporters: [debug, redis] }\n')

    expect(problems(yaml)).toEqual([
      'config.yaml:15:58: service.pipelines.logs.exporters[1]: records would go in a circle: logs → redis → logs',
    ])
  })

  it('may split and join the ways of records', () => {
    const yaml = withPipelines(
      '    logs/in: { receivers: [otlp], processors: [redaction], exporters: [redis, disk] }\n',
      '    logs/one: { receivers: [redis], exporters: [disk] }\n',
      '    logs/out: { receivers: [disk], exporters: [debug] }\n',
    )

    expect(problems(yaml)).toEqual([])
  })
})

describe('what is defined and not used', () => {
  it('is a warning, no error', () => {
    const yaml = withPipelines('    logs: { receivers: [otlp], exporters: [debug] }\n').replace(
      '[health_check]',
      '',
    )

    expect(load(yaml).warnings.map(formatIssue)).toEqual([
      'config.yaml:4:3: processors.redaction: defined, but not used',
      'config.yaml:8:3: connectors.disk: defined, but not used',
      'config.yaml:9:3: connectors.redis: defined, but not used',
      'config.yaml:11:3: extensions.health_check: defined, but not used',
    ])
  })
})

describe('a choice of pipelines', () => {
  const config = load(withPipelines(GATEWAY, DRAIN))

  it('is all of them when none is named', () => {
    expect(selectPipelines(config).map(({ name }) => name)).toEqual(['logs/gateway', 'logs/drain'])
  })

  it('keeps the order of the file', () => {
    const chosen = selectPipelines(config, ['logs/drain', 'logs/gateway', 'logs/drain'])

    expect(chosen.map(({ name }) => name)).toEqual(['logs/gateway', 'logs/drain'])
  })

  it('is refused with the nearest name of each unknown one', () => {
    expect(() => selectPipelines(config, ['logs/drian', 'traces'])).toThrow(
      new ConfigError([
        {
          file: '--pipelines',
          line: 0,
          column: 0,
          path: '',
          message: 'unknown pipeline "logs/drian", did you mean "logs/drain"?',
        },
        {
          file: '--pipelines',
          line: 0,
          column: 0,
          path: '',
          message: 'unknown pipeline "traces", known: logs/drain, logs/gateway',
        },
      ]),
    )
  })

  it('is not empty', () => {
    expect(() => selectPipelines(config, [])).toThrow('--pipelines: names no pipeline')
  })
})
