import { describe, expect, it } from 'vitest'
import { MINIMAL, problems } from './fakes.ts'

describe('a file that is no YAML', () => {
  it.each([
    ['an open quote', 'receivers:\n  otlp: "x\n', 'config.yaml:3:1: Missing closing "quote'],
    ['a tab', 'receivers:\n\totlp:\n', 'config.yaml:2:1: Tabs are not allowed as indentation'],
    [
      'an indentation that fits nothing',
      'receivers:\n    otlp:\n  debug:\n',
      'config.yaml:3:1: All mapping items must start at the same column',
    ],
    ['an alias of nothing', 'receivers: *base\n', 'config.yaml:1:12: no anchor "&base" above'],
    ['an alias of itself', 'receivers: &a [*a]\n', 'config.yaml:1:16: alias "a" contains itself'],
    ['an unknown tag', 'receivers: !include x.yaml\n', 'config.yaml:1:12: Unresolved tag: !include'],
    [
      'a second document',
      'receivers:\n---\nreceivers:\n',
      'config.yaml:2:1: a second document starts here, a config file has one',
    ],
    [
      'an unquoted variable inside brackets',
      'receivers:\n  otlp: { endpoint: ${env:X} }\n',
      'config.yaml:2:22: Unexpected flow-map-start at node end; put a value with ${…} in quotes inside [ ] and { }',
    ],
  ])('is refused at the place of %s', (_, yaml, line) => {
    expect(problems(yaml)).toEqual([line])
  })

  it('is refused for every line that has something wrong', () => {
    expect(problems('receivers: @a\nexporters: `b\nservice: "\n')).toEqual([
      'config.yaml:1:12: Plain value cannot start with reserved character @',
      'config.yaml:2:12: Plain value cannot start with reserved character `',
      'config.yaml:4:1: Missing closing "quote',
    ])
  })

  it('does not unfold an alias bomb', () => {
    const levels = ['a: &a [x, x, x, x, x, x, x, x, x]']
    for (let level = 1; level < 9; level++) {
      const [name, below] = [String.fromCharCode(97 + level), String.fromCharCode(96 + level)]
      levels.push(`${name}: &${name} [${Array(9).fill(`*${below}`).join(', ')}]`)
    }

    expect(problems(levels.join('\n'))).toEqual([
      'config.yaml: Excessive alias count indicates a resource exhaustion attack',
    ])
  })
})

describe('a key that is there twice', () => {
  it('is refused where it is repeated, besides all else', () => {
    const yaml = MINIMAL.replace('  debug:\n', '  debug:\n    verbose: true\n\n    verbose: 5\n')

    expect(problems(`${yaml}servic: {}\nexporters:\n`)).toEqual([
      'config.yaml:7:5: exporters.debug.verbose: this key is already there',
      'config.yaml:11:1: servic: unknown option, did you mean "service"?',
      'config.yaml:12:1: exporters: this key is already there',
    ])
  })
})

describe('a key that is no text', () => {
  it('is refused where it stands', () => {
    expect(problems(MINIMAL.replace('otlp:', '{ otlp: }:'))).toEqual([
      'config.yaml:2:3: receivers: a key is plain text',
      'config.yaml:7:25: service.pipelines.logs.receivers[0]: receiver or connector "otlp" is not defined',
    ])
  })
})

describe('positions', () => {
  it('are right in files with Windows line ends', () => {
    expect(problems(`${MINIMAL}servic: {}\n`.replaceAll('\n', '\r\n'))).toEqual([
      'config.yaml:8:1: servic: unknown option, did you mean "service"?',
    ])
  })

  it('lead through aliases to where the value stands', () => {
    const yaml = `receivers:
  otlp: &otlp { protocols: { grpc: { endpoint: nowhere } } }
  otlp/2: *otlp
`
    expect(problems(yaml + MINIMAL.replace(/^[^]*?exporters/, 'exporters'))).toEqual([
      'config.yaml:2:48: receivers.otlp.protocols.grpc.endpoint: expected host:port such as 0.0.0.0:4317',
      'config.yaml:2:48: receivers.otlp/2.protocols.grpc.endpoint: expected host:port such as 0.0.0.0:4317',
    ])
  })

  it('are the nearest parent where a merge key brought the value', () => {
    const yaml = `receivers:
  otlp: &otlp { protocols: { grpc: } }
  otlp/2:
    <<: *otlp
    endpoint: 1
exporters:
  debug: &debug { verbose: 5 }
  debug/2:
    <<: *debug
service:
  pipelines:
    logs: { receivers: [otlp, otlp/2], exporters: [debug, debug/2] }
`
    expect(problems(yaml)).toEqual([
      'config.yaml:5:5: receivers.otlp/2.endpoint: unknown option, known: protocols',
      'config.yaml:7:28: exporters.debug.verbose: expected true or false',
      'config.yaml:8:3: exporters.debug/2.verbose: expected true or false',
    ])
  })
})
