import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from '../servers/ports.ts'
import { MAIN } from '../servers/runtime.ts'
import { numberedRequest } from './client.ts'
import { GrpcClient } from './grpc-client.ts'
import { type Health, healthAt } from './health.ts'
import { eventually, type Sluice, startSluice } from './sluice.ts'

const SMALL = numberedRequest(0, 1, 'processes').bytes

/** Two processes that say in the log which of them took a batch. */
function twoGateways({ grpc, health }: { grpc: number; health: number }): string {
  return `
receivers:
  otlp: { protocols: { grpc: { endpoint: "127.0.0.1:${grpc}" } } }
processors:
  redaction:
exporters:
  debug:
extensions:
  health_check: { endpoint: "127.0.0.1:${health}" }
service:
  extensions: [health_check]
  processes: 2
  pipelines:
    logs/gateway: { receivers: [otlp], processors: [redaction], exporters: [debug] }
`
}

describe('two processes that share a port', () => {
  let grpc: number
  let health: number
  let sluice: Sluice

  beforeAll(async () => {
    grpc = await freePort()
    health = await freePort()
    sluice = await startSluice({ config: twoGateways({ grpc, health }) })
  })

  afterAll(() => sluice?.stop())

  async function pidOf(name: string): Promise<number> {
    const { pid } = (await healthAt(health)).processes[name]
    if (pid === undefined) throw new Error(`${name} does not run`)
    return pid
  }

  /** Of so many new connections, each sending one request: how many each process took. */
  async function share(connections: number): Promise<Record<string, number>> {
    const before = batches()
    await connectAndSend(connections)
    await eventually('all are in the log', async () => batches().length === before.length + connections)
    const names = batches().slice(before.length)
    return Object.fromEntries(
      ['gateway-1', 'gateway-2'].map((name) => [name, names.filter((taker) => taker === name).length]),
    )
  }

  /** Which process took each batch. */
  function batches(): string[] {
    return said(sluice.output, 'batch').map((line) => String(line.process))
  }

  /** Each of so many new connections sends one request. */
  async function connectAndSend(connections: number): Promise<void> {
    for (let i = 0; i < connections; i++) {
      using client = new GrpcClient(grpc)
      expect(await client.export(SMALL)).toBe(status.OK)
    }
  }

  it('both take connections', async () => {
    const shares = await share(24)

    expect(Math.min(...Object.values(shares))).toBeGreaterThan(0)
  })

  it('leave new connections to each other while one of them does not get to it', async () => {
    const pid = await pidOf('gateway-1')
    process.kill(pid, 'SIGSTOP')
    const shares = share(10).finally(() => process.kill(pid, 'SIGCONT'))

    expect(await shares).toEqual({ 'gateway-1': 0, 'gateway-2': 10 })
  })

  it('answer for each other at one health endpoint while one is started again', async () => {
    const before = await healthAt(health)
    expect(before).toMatchObject({ code: 200, state: 'ok' })
    expect(Object.keys(before.processes)).toEqual(['gateway-1', 'gateway-2'])

    process.kill(await pidOf('gateway-2'), 'SIGKILL')
    const seen: Health[] = []
    await eventually('it is well again', async () => {
      seen.push(await healthAt(health))
      const { state, pid } = seen[seen.length - 1].processes['gateway-2']
      return state === 'ok' && pid !== before.processes['gateway-2'].pid
    })

    expect(new Set(seen.map(({ code }) => code))).toEqual(new Set([200]))
    expect(seen.map(({ state }) => state)).toContain('degraded')
    await connectAndSend(4)
  })

  it('show what each of them takes of the machine, beside what they count together', async () => {
    const before = await sluice.metrics()
    await connectAndSend(5)
    const metrics = await sluice.metrics()

    const accepted = 'otelcol_receiver_accepted_log_records'
    expect(metrics.sum(accepted)).toBe(before.sum(accepted) + 5)
    for (const name of ['primary', 'gateway-1', 'gateway-2']) {
      expect(metrics.sum('otelcol_process_cpu_seconds', { process: name })).toBeGreaterThan(0)
      expect(metrics.sum('otelcol_process_memory_rss', { process: name })).toBeGreaterThan(0)
    }
    expect(metrics.sum('sluice_process_up')).toBe(2)
  })
})

interface Ended {
  readonly code: number | null
  readonly output: string
}

/** Runs a config to its end; `running` is called once it runs. */
async function runToEnd(config: string, running = (_pid: number): void => {}): Promise<Ended> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-processes-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'config.yaml')
  await writeFile(file, config)
  // A process group of its own, as a terminal gives one to what it runs.
  const child = spawn(process.execPath, [MAIN, 'run', '--config', file], { detached: true })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  let isRunning = false
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (isRunning || !output.includes('"msg":"running"')) return
      isRunning = true
      running(child.pid ?? 0)
    })
  }
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}

/** The lines of the log with this message, in their order. */
function said(output: string, msg: string): Record<string, unknown>[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => line.msg === msg)
}

const EVERY_PROCESS = new Set(['a-1', 'a-2', 'b-1'])

/** Two receivers in groups of their own. */
function groups(ports: readonly [number, number]): string {
  return `
receivers:
  otlp/a: { protocols: { http: { endpoint: "127.0.0.1:${ports[0]}" } } }
  otlp/b: { protocols: { http: { endpoint: "127.0.0.1:${ports[1]}" } } }
exporters:
  debug:
service:
  telemetry: { metrics: { level: none } }
  processes:
    - { pipelines: [logs/a], count: 2 }
    - { pipelines: [logs/b] }
  pipelines:
    logs/a: { receivers: [otlp/a], exporters: [debug] }
    logs/b: { receivers: [otlp/b], exporters: [debug] }
`
}

describe('a service of several processes', () => {
  it.each([
    ['SIGTERM to the process above', (pid: number) => process.kill(pid, 'SIGTERM')],
    ['Ctrl-C, which every process is sent', (pid: number) => process.kill(-pid, 'SIGINT')],
    ['SIGTERM to every process, as service managers do it', (pid: number) => process.kill(-pid, 'SIGTERM')],
  ])('ends in order after %s', async (_, stop) => {
    const { code, output } = await runToEnd(groups([await freePort(), await freePort()]), stop)

    expect(new Set(said(output, 'process has stopped').map(({ worker }) => worker))).toEqual(EVERY_PROCESS)
    expect(said(output, 'stopped')).toHaveLength(1)
    expect(output.split('Sluice runs')).toHaveLength(2)
    expect(code).toBe(0)
  })

  it('ends when the process above has been killed', async () => {
    // Resolves when nobody has the output open any more.
    const { output } = await runToEnd(groups([await freePort(), await freePort()]), (pid) =>
      process.kill(pid, 'SIGKILL'),
    )

    const gone = said(output, 'the supervising process is gone: stopping')
    expect(new Set(gone.map((line) => line.process))).toEqual(EVERY_PROCESS)
  })

  it('does not start when one process cannot, and says why', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')

    const { port } = server.address() as AddressInfo
    const { code, output } = await runToEnd(groups([await freePort(), port]))

    expect(code).toBe(1)
    expect(said(output, 'could not start').at(-1)).toMatchObject({
      process: 'primary',
      err: {
        message: expect.stringMatching(/^b-1 could not start: OTLP\/HTTP cannot listen on .*EADDRINUSE/),
      },
    })
    expect(said(output, 'running')).toEqual([])
  })

  it('does not start when two groups listen at the same address', async () => {
    const port = await freePort()

    const { code, output } = await runToEnd(groups([port, port]))

    expect(code).toBe(1)
    expect(said(output, 'could not start')).toMatchObject([
      {
        err: {
          message: expect.stringMatching(`both listen on 127.0.0.1:${port}: give one of them another port`),
        },
      },
    ])
  })

  it('shares a port that the system chose', async () => {
    const config = twoGateways({ grpc: 0, health: 0 }).replace(
      '  processes',
      '  telemetry: { metrics: { address: "127.0.0.1:0" } }\n  processes',
    )

    const { code, output } = await runToEnd(config, (pid) => process.kill(pid, 'SIGTERM'))

    const addresses = said(output, 'listening').map(({ address }) => address)
    expect(addresses).toHaveLength(2)
    expect(new Set(addresses).size).toBe(1)
    expect(code).toBe(0)
  })
})
