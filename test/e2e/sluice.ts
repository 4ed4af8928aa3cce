import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../servers/ports.ts'
import { Child } from '../servers/process.ts'
import { MAIN, RUNTIME } from '../servers/runtime.ts'

const START_TIMEOUT = 30_000
const STOP_TIMEOUT = 30_000

/** The metrics of a process at one moment. */
export interface MetricsSnapshot {
  /** The sum over all label sets that contain `labels`; 0 when there is none. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number
}

/** A Sluice process as a user runs it. */
export interface Sluice extends AsyncDisposable {
  readonly pid: number
  /** The config it runs with. */
  readonly file: string
  readonly running: boolean
  readonly output: string
  /** Resolves with the first line that matches, written before or after this call. */
  line(pattern: RegExp): Promise<string>
  metrics(): Promise<MetricsSnapshot>
  stop(): Promise<void>
  /** Ends it in order, and keeps its config for `restart`. */
  stopProcess(): Promise<void>
  kill(): Promise<void>
  /** Starts it again with the same config. */
  restart(): Promise<void>
}

export interface SluiceOptions {
  /** Everything of the config but telemetry. */
  readonly config: string
  readonly pipelines?: string
  /** Added to the environment of this process. */
  readonly env?: NodeJS.ProcessEnv
}

/** Runs `sluice run` in a process of its own; resolves once it is running. */
export async function startSluice({ config, pipelines, env }: SluiceOptions): Promise<Sluice> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-e2e-'))
  const metricsPort = await freePort()
  const file = join(folder, 'config.yaml')
  const address = `\n  telemetry: { metrics: { address: "127.0.0.1:${metricsPort}" } }\n`
  await writeFile(file, config.replace(/^service:\s*$/m, `service:${address}`))
  const args = [
    ...RUNTIME.flags,
    MAIN,
    'run',
    '--config',
    file,
    ...(pipelines ? ['--pipelines', pipelines] : []),
  ]
  const start = async (): Promise<Child> => {
    const child = new Child(process.execPath, args, { env: { ...process.env, ...RUNTIME.env, ...env } })
    await child.line(/"msg":"running"/, START_TIMEOUT)
    return child
  }
  let child = await start()
  const stop = async (): Promise<void> => {
    await child.stop(STOP_TIMEOUT)
    await rm(folder, { recursive: true, force: true })
  }
  return {
    get pid() {
      return child.pid
    },
    file,
    get running() {
      return child.running
    },
    get output() {
      return child.output
    },
    line: (pattern) => child.line(pattern, START_TIMEOUT),
    async metrics() {
      const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`)
      return parseMetrics(await response.text())
    },
    stop,
    stopProcess: async () => void (await child.stop(STOP_TIMEOUT)),
    kill: () => child.kill(),
    async restart() {
      child = await start()
    },
    [Symbol.asyncDispose]: stop,
  }
}

/** Reads Prometheus' text format. */
export function parseMetrics(text: string): MetricsSnapshot {
  const samples = text.split('\n').flatMap((line) => {
    const match = /^([a-zA-Z_:][\w:]*)(\{.*\})? (\S+)$/.exec(line)
    return match ? [{ name: match[1], labels: match[2] ?? '', value: Number(match[3]) }] : []
  })
  return {
    sum: (name, labels = {}) =>
      samples
        .filter((sample) => sample.name === name)
        .filter((sample) =>
          Object.entries(labels).every(([key, value]) => sample.labels.includes(`${key}="${value}"`)),
        )
        .reduce((sum, { value }) => sum + value, 0),
  }
}

/** Asks again every 50 ms until the answer is true: for what another process does and cannot tell. */
export async function eventually(
  what: string,
  probe: () => Promise<boolean>,
  timeout = 60_000,
): Promise<void> {
  const end = performance.now() + timeout
  while (!(await probe().catch(() => false))) {
    if (performance.now() > end) throw new Error(`${what}: not within ${timeout} ms`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
