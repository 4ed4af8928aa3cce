import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { load, MINIMAL, problems } from './fakes.ts'

/** The minimal config with another `receivers.otlp` or `exporters.debug`. */
const receiver = (otlp: string) => MINIMAL.replace('{ protocols: { grpc: } }', otlp)
const exporter = (debug: string) => MINIMAL.replace('debug:', `debug: ${debug}`)

describe('a config', () => {
  it('becomes components by kind, with their defaults filled in', () => {
    const config = load(`
receivers:
  otlp:
    protocols:
      grpc:
      http: { max_body: 1MiB }
  otlp/internal: { protocols: { grpc: { endpoint: "127.0.0.1:0" } } }
exporters:
  debug:
connectors:
  redis: { url: "redis://redis:6379", timeout: 250ms }
service:
  pipelines:
    logs/drain: { receivers: [redis], exporters: [debug] }
    logs/gateway: { receivers: [otlp, otlp/internal], exporters: [redis] }
  shutdown_timeout: 1m
`)

    expect([...config.receivers.keys()]).toEqual(['otlp', 'otlp/internal'])
    expect(config.receivers.get('otlp')?.definition.type).toBe('otlp')
    expect(config.receivers.get('otlp')?.config).toEqual({
      protocols: {
        grpc: { endpoint: { host: '0.0.0.0', port: 4317 } },
        http: { endpoint: { host: '0.0.0.0', port: 4318 }, max_body: 1_048_576 },
      },
    })
    expect(config.connectors.get('redis')?.config).toEqual({
      url: 'redis://redis:6379',
      timeout: 250,
      database: 0,
    })
    expect(config.exporters.get('debug')?.config).toEqual({ verbose: false, headers: {} })
    expect(config.processors.size).toBe(0)
    expect(config.pipelines).toEqual([
      { name: 'logs/drain', receivers: ['redis'], processors: [], exporters: ['debug'] },
      { name: 'logs/gateway', receivers: ['otlp', 'otlp/internal'], processors: [], exporters: ['redis'] },
    ])
    expect(config.shutdownTimeoutMs).toBe(60_000)
    expect(config.file).toBe('config.yaml')
    expect(config.warnings).toEqual([])
  })

  it('has telemetry and a shutdown timeout without naming them', () => {
    const { telemetry, shutdownTimeoutMs, enabledExtensions } = load(MINIMAL)

    expect(telemetry).toEqual({
      logs: { level: 'info', encoding: 'json' },
      metrics: { address: { host: '127.0.0.1', port: 8888 }, level: 'normal' },
    })
    expect(shutdownTimeoutMs).toBe(20_000)
    expect(enabledExtensions).toEqual([])
  })

  it('has defaults where a key has no value', () => {
    const config = load(
      `${exporter('{ verbose: , headers: }')}  extensions:\n  telemetry:\n    logs:\n    metrics: { address: }\n`,
    )

    expect(config.exporters.get('debug')?.config).toEqual({ verbose: false, headers: {} })
    expect(config.telemetry.metrics.address.port).toBe(8888)
  })

  it('takes a number in a variable as text where text is wanted', () => {
    const yaml = exporter('\n    auth:\n      user: ${env:NAME}\n      password: ${env:PASSWORD}')

    expect(load(yaml, { NAME: 'true', PASSWORD: '0123' }).exporters.get('debug')?.config).toMatchObject({
      auth: { user: 'true', password: '0123' },
    })
  })

  it('takes a number in a variable as a number where a number is wanted', () => {
    const yaml = exporter('\n    verbose: ${env:VERBOSE}')

    expect(load(yaml, { VERBOSE: 'true' }).exporters.get('debug')?.config).toMatchObject({ verbose: true })
  })

  it('shares parts by anchor, alias and merge key', () => {
    const config = load(
      MINIMAL.replace(
        'debug:',
        'debug: &debug { headers: { a: b } }\n  debug/2: { <<: *debug, verbose: true }',
      ),
    )

    expect(config.exporters.get('debug/2')?.config).toEqual({ verbose: true, headers: { a: 'b' } })
  })
})

describe('an option', () => {
  it.each([
    [
      'that is not known is refused with the nearest name',
      receiver('\n    protocols:\n      grpc:\n        endpont: 0.0.0.0:1'),
      'config.yaml:5:9: receivers.otlp.protocols.grpc.endpont: unknown option, did you mean "endpoint"?',
    ],
    [
      'with two letters swapped is recognised',
      receiver('{ protocols: { htpt: } }'),
      'config.yaml:2:24: receivers.otlp.protocols.htpt: unknown option, did you mean "http"?',
    ],
    [
      'that is near to nothing is refused with all names',
      exporter('{ colour: red }'),
      'config.yaml:4:12: exporters.debug.colour: unknown option, known: auth, headers, retry, verbose',
    ],
    [
      'named like a part of every object is refused',
      exporter('{ __proto__: { verbose: true } }'),
      'config.yaml:4:12: exporters.debug.__proto__: unknown option, known: auth, headers, retry, verbose',
    ],
    [
      'that is missing is asked for at its parent',
      receiver('{}'),
      'config.yaml:2:3: receivers.otlp.protocols: required',
    ],
    [
      'that is missing in a component without a body is asked for at the component',
      receiver(''),
      'config.yaml:2:3: receivers.otlp.protocols: required',
    ],
    [
      'that is there without a value is asked for at its key',
      `${MINIMAL}connectors:\n  redis:\n    url:\n`,
      'config.yaml:10:5: connectors.redis.url: required',
    ],
    [
      'of the wrong type is refused at its value',
      exporter('{ verbose: "yes" }'),
      'config.yaml:4:21: exporters.debug.verbose: expected true or false',
    ],
    [
      'with text for a mapping is refused',
      receiver('{ protocols: grpc }'),
      'config.yaml:2:22: receivers.otlp.protocols: expected a mapping',
    ],
    [
      'with a mapping for a list is refused',
      `${MINIMAL}processors: { redaction: { detectors: { email: } } }\n`,
      'config.yaml:8:39: processors.redaction.detectors: expected a list',
    ],
    [
      'outside of the allowed words is refused with these',
      `${MINIMAL}  telemetry: { logs: { level: verbose } }\n`,
      'config.yaml:8:31: service.telemetry.logs.level: expected "debug", "info", "warn" or "error"',
    ],
    [
      'in a list is refused at its place in the list',
      `${MINIMAL}processors:\n  redaction:\n    detectors:\n      - email\n      - emial\n`,
      'config.yaml:12:9: processors.redaction.detectors[1]: expected "email" or "credit_card"',
    ],
    [
      'with a duration without a unit is refused',
      `${MINIMAL}  shutdown_timeout: 20\n`,
      'config.yaml:8:21: service.shutdown_timeout: expected a duration such as 500ms, 5s or 1m30s',
    ],
    [
      'with a size without a number is refused',
      receiver('{ protocols: { http: { max_body: big } } }'),
      'config.yaml:2:42: receivers.otlp.protocols.http.max_body: expected a size such as 1048576, 64KiB or 5MB',
    ],
    [
      'that fits no variant is refused as a whole',
      exporter('{ auth: secret }'),
      'config.yaml:4:18: exporters.debug.auth: expected a mapping',
    ],
    [
      'that plainly means one variant is refused for what is wrong with that one',
      exporter('{ auth: { api_key: 5 } }'),
      'config.yaml:4:29: exporters.debug.auth.api_key: expected a string',
    ],
    [
      'that names no variant is refused with the names',
      exporter('{ retry: { kind: always } }'),
      'config.yaml:4:27: exporters.debug.retry.kind: expected "never" or "backoff"',
    ],
    [
      'that its variant does not know is refused',
      exporter('{ retry: { kind: backoff, inital: 1s } }'),
      'config.yaml:4:36: exporters.debug.retry.inital: unknown option, did you mean "initial"?',
    ],
    [
      'with a number in quotes is refused where a number is wanted',
      `${MINIMAL}connectors: { redis: { url: x, database: "1" } }\n`,
      'config.yaml:8:42: connectors.redis.database: expected a number',
    ],
  ])('%s', (_, yaml, line) => {
    expect(problems(yaml)).toEqual([line])
  })

  it('is refused without a word of a secret value', () => {
    const yaml = exporter('\n    headers:\n      a: ["${env:TOKEN}"]\n    auth: { user: "${env:TOKEN}" }')

    expect(problems(yaml, { TOKEN: 'hunter2' }).join()).not.toContain('hunter2')
  })
})

describe('a component', () => {
  it.each([
    [
      'of an unknown type is refused with the nearest',
      `${MINIMAL}processors:\n  redactoin/strict:\n`,
      'config.yaml:9:3: processors.redactoin/strict: unknown processor type, did you mean "redaction"?',
    ],
    [
      'of a type near to nothing is refused with all types',
      `${MINIMAL}connectors:\n  kafka:\n`,
      'config.yaml:9:3: connectors.kafka: unknown connector type, known: disk, redis',
    ],
    [
      'in the wrong section is sent to the right one',
      MINIMAL.replace('debug:', 'debug:\n  disk:'),
      'config.yaml:5:3: exporters.disk: "disk" is no exporter, it belongs under connectors',
    ],
    [
      'has a name that can stand in metrics and paths',
      MINIMAL.replace('debug:', 'debug:\n  debug/../x:'),
      'config.yaml:5:3: exporters.debug/../x: after the slash stand letters, digits, ".", "_" and "-" only',
    ],
    [
      'has a name after its slash',
      MINIMAL.replace('debug:', 'debug:\n  debug/:'),
      'config.yaml:5:3: exporters.debug/: after the slash stand letters, digits, ".", "_" and "-" only',
    ],
  ])('%s', (_, yaml, line) => {
    expect(problems(yaml)).toEqual([line])
  })
})

describe('a file', () => {
  it.each([
    [
      'without a section is told the sections',
      `${MINIMAL}pipelines:\n`,
      [
        'config.yaml:8:1: pipelines: unknown option, known: connectors, exporters, extensions, processors, receivers, service',
      ],
    ],
    ['that is empty lacks its service', '', ['config.yaml:1:1: service: required']],
    ['that is a list is refused', '- a\n', ['config.yaml:1:1: expected a mapping']],
    ['that is a word is refused', 'hello', ['config.yaml:1:1: expected a mapping']],
    [
      'with a list for a section is refused there',
      'receivers: [otlp]\nservice: {}\n',
      ['config.yaml:1:12: receivers: expected a mapping', 'config.yaml:2:1: service.pipelines: required'],
    ],
  ])('%s', (_, yaml, lines) => {
    expect(problems(yaml)).toEqual(lines)
  })

  it('is refused with everything that is wrong with it, in the order of the file', () => {
    const yaml = `receivers:
  otlp:
    protocols:
      grpc: { endpont: 1, endpoint: 2 }
processors:
  redaction: { hash_key: "\${env:KEY}", detectors: [phone] }
exporters:
  debg:
conectors:
service:
  extensions: [health_check]
  pipelines:
    logs: { receivers: [oltp], exporters: [debug], processor: [redaction] }
  shutdown_timeout: soon
`
    expect(problems(yaml)).toEqual([
      'config.yaml:4:15: receivers.otlp.protocols.grpc.endpont: unknown option, did you mean "endpoint"?',
      'config.yaml:4:37: receivers.otlp.protocols.grpc.endpoint: expected host:port such as 0.0.0.0:4317',
      'config.yaml:6:26: processors.redaction.hash_key: environment variable KEY is not set',
      'config.yaml:6:52: processors.redaction.detectors[0]: expected "email" or "credit_card"',
      'config.yaml:8:3: exporters.debg: unknown exporter type, did you mean "debug"?',
      'config.yaml:9:1: conectors: unknown option, did you mean "connectors"?',
      'config.yaml:11:16: service.extensions[0]: extension "health_check" is not defined',
      'config.yaml:13:25: service.pipelines.logs.receivers[0]: receiver or connector "oltp" is not defined, did you mean "otlp"?',
      'config.yaml:13:44: service.pipelines.logs.exporters[0]: exporter or connector "debug" is not defined, did you mean "debg"?',
      'config.yaml:13:52: service.pipelines.logs.processor: unknown option, did you mean "processors"?',
      'config.yaml:14:21: service.shutdown_timeout: expected a duration such as 500ms, 5s or 1m30s',
    ])
  })

  it('is accepted or refused with places in it, however mangled it is', () => {
    const scraps = [
      '',
      '\n',
      ' ',
      '\t',
      ':',
      '- ',
      '{',
      '}',
      '[',
      ']',
      '"',
      '${',
      '}',
      '*a',
      '&a ',
      '<<: ',
      '!x ',
      '#',
      '?',
      '~',
      '0',
    ]
    const edit = fc.record({ at: fc.nat(), drop: fc.nat(12), add: fc.constantFrom(...scraps) })
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        const mangled = edits.reduce((yaml, { at, drop, add }) => {
          const from = at % (yaml.length + 1)
          return yaml.slice(0, from) + add + yaml.slice(from + drop)
        }, MINIMAL)

        for (const line of problems(mangled)) expect(line).toMatch(/^config\.yaml(:\d+:\d+)?: /)
      }),
      { numRuns: 500 },
    )
  })
})
