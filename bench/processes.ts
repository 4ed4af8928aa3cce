import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** A child of the benchmark, ended with it. */
export interface Child {
  readonly process: ChildProcess
  stop(): Promise<void>
}

export interface RunOptions {
  readonly stdout?: 'pipe' | 'ignore'
  /** Flags of Node itself. */
  readonly flags?: readonly string[]
  /** Folder for a CPU profile. */
  readonly profile?: string | undefined
}

/** Runs a TypeScript file of the project with the Node that runs this. */
export function run(file: string, args: readonly string[], options: RunOptions = {}): Child {
  const { stdout = 'ignore', flags = [], profile } = options
  const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]
  const child = spawn(process.execPath, [...flags, ...profiling, file, ...args], {
    cwd: root,
    stdio: ['ignore', stdout, 'inherit'],
  })
  return {
    process: child,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

/** The first line a child prints. */
export async function firstLine(child: Child): Promise<string> {
  let text = ''
  for await (const chunk of child.process.stdout ?? []) {
    text += String(chunk)
    const end = text.indexOf('\n')
    if (end !== -1) return text.slice(0, end)
  }
  throw new Error(`${child.process.spawnfile} ended without a line on standard output`)
}

/** Values of a metrics endpoint: the sum over all label sets, by name. */
export async function readMetrics(port: number): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`)
  const sums = new Map<string, number>()
  for (const line of (await response.text()).split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{.*\})? (\S+)$/.exec(line)
    if (match) sums.set(match[1], (sums.get(match[1]) ?? 0) + Number(match[2]))
  }
  return sums
}

/** Asks again until `probe` gives something. */
export async function until<T>(
  probe: () => Promise<T | undefined>,
  seconds: number,
  what: string,
): Promise<T> {
  const end = performance.now() + seconds * 1000
  while (performance.now() < end) {
    const value = await probe().catch(() => undefined)
    if (value !== undefined) return value
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`${what} took longer than ${seconds} s`)
}
