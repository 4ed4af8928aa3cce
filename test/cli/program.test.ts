import { relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { load, MINIMAL } from '../config/fakes.ts'
import { configFile, sluice } from './harness.ts'

describe('sluice run', () => {
  it('runs the service with the config and exits as the service does', async () => {
    const file = configFile(MINIMAL)

    const { code, started } = await sluice(['run', '--config', file], { result: 1 })

    expect(code).toBe(1)
    expect(started.map(({ config, pipelines }) => [config.file, pipelines])).toEqual([[file, undefined]])
  })

  it('finds the config from the current directory', async () => {
    const { code } = await sluice(['run', '--config', relative(process.cwd(), configFile(MINIMAL))])

    expect(code).toBe(0)
  })

  it('runs the pipelines that are named', async () => {
    const file = configFile(`${MINIMAL}    logs/2: { receivers: [otlp], exporters: [debug] }\n`)

    const { started } = await sluice(['run', '--config', file, '--pipelines', 'logs, logs/2'])

    expect(started.map(({ pipelines }) => pipelines)).toEqual([['logs', 'logs/2']])
  })

  it('refuses pipelines that are not there, and starts nothing', async () => {
    const outcome = await sluice(['run', '--config', configFile(MINIMAL), '--pipelines', 'logs,log'])

    expect(outcome).toEqual({
      code: 2,
      stdout: '',
      stderr: '--pipelines: unknown pipeline "log", did you mean "logs"?\n',
      started: [],
    })
  })

  it('names everything that is wrong with the config, and starts nothing', async () => {
    const file = configFile(`${MINIMAL}servic:\nconnectors:\n  redis:\n`)

    expect(await sluice(['run', '--config', file])).toEqual({
      code: 2,
      stdout: '',
      stderr: `${file}:8:1: servic: unknown option, did you mean "service"?\n${file}:10:3: connectors.redis.url: required\n`,
      started: [],
    })
  })

  it('names the file that is not there', async () => {
    const { code, stderr } = await sluice(['run', '--config', '/nowhere/config.yaml'])

    expect([code, stderr]).toEqual([2, '/nowhere/config.yaml: there is no such file\n'])
  })

  it('replaces variables from the environment it was given', async () => {
    const file = configFile(MINIMAL.replace('debug:', 'debug:\n    verbose: ${env:VERBOSE}'))

    const { started } = await sluice(['run'], { env: { SLUICE_CONFIG: file, VERBOSE: 'true' } })

    expect(started[0].config.exporters.get('debug')?.config).toMatchObject({ verbose: true })
  })
})

describe('sluice validate', () => {
  it('says that a config is valid, and what is odd about it', async () => {
    const file = configFile(`${MINIMAL}connectors:\n  disk:\n`)

    expect(await sluice(['validate', '--config', file])).toMatchObject({
      code: 0,
      stdout: `${file}: valid, pipelines: logs\n`,
      stderr: `${file}:9:3: connectors.disk: defined, but not used (warning)\n`,
      started: [],
    })
  })

  it('finds fault with a plan of processes that cannot work', async () => {
    const file = configFile(`${MINIMAL}  processes:\n    - { pipelines: [logs/gateway] }\n`)

    expect(await sluice(['validate', '-c', file])).toMatchObject({
      code: 2,
      stderr: [
        `${file}:9:5: service.processes: no group runs logs`,
        `${file}:9:21: service.processes[0].pipelines[0]: unknown pipeline "logs/gateway", known: logs`,
        '',
      ].join('\n'),
    })
  })

  it('exits with 2 when the config is not valid', async () => {
    const file = configFile('receivers: *x\n')

    expect(await sluice(['validate', '-c', file])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: `${file}:1:12: no anchor "&x" above\n`,
    })
  })
})

describe('sluice print-config', () => {
  it('prints a config that takes effect the same way', async () => {
    const { code, stdout } = await sluice(['print-config', '--config', configFile(MINIMAL)])

    expect(code).toBe(0)
    expect(load(stdout).receivers.get('otlp')?.config).toEqual(load(MINIMAL).receivers.get('otlp')?.config)
  })
})

describe('sluice components', () => {
  it('prints a table in the order of the sections', async () => {
    const { code, stdout } = await sluice(['components'])

    expect(code).toBe(0)
    expect(stdout).toBe(`receiver   otlp          Takes logs over OTLP.
processor  redaction     Masks secrets.
exporter   debug         Prints logs.
connector  disk          Buffers on the disk.
connector  redis         Buffers in Redis.
extension  health_check  Answers health checks.
`)
  })

  it('prints JSON for programs', async () => {
    const { stdout } = await sluice(['components', '--json'])

    expect(JSON.parse(stdout)).toContainEqual({
      kind: 'connector',
      type: 'redis',
      summary: 'Buffers in Redis.',
    })
  })
})

describe('sluice', () => {
  it('exits with 0 after --version and --help', async () => {
    expect(await sluice(['--version'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    })
    expect(await sluice(['run', '--help'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('--pipelines'),
    })
  })

  it.each([[[]], [['validat']], [['run', '--confg', 'x']], [['run', 'config.yaml']]])(
    'exits with 2 and a hint for the words %j',
    async (args) => {
      const { code, stdout, stderr } = await sluice(args)

      expect([code, stdout]).toEqual([2, ''])
      expect(stderr).toMatch(/sluice .*--help|Usage: sluice/s)
    },
  )
})
