import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { atExit } from '../test/servers/at-exit.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** A child of the benchmark, ended with it. */
export interface Child {
  readonly process: ChildProcess
  readonly pid: number
  stop(): Promise<void>
}

export interface RunOptions {
  readonly stdout?: 'pipe' | 'ignore'
  /** Flags of Node itself, and its environment: those of the `sluice` command are `RUNTIME`. */
  readonly flags?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Folder for a CPU profile. */
  readonly profile?: string | undefined
}

/** Runs a TypeScript file of the project with the Node that runs this. */
export function run(file: string, args: readonly string[], options: RunOptions = {}): Child {
  const { stdout = 'ignore', flags = [], env, profile } = options
  const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]
  const child = spawn(process.execPath, [...flags, ...profiling, file, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', stdout, 'inherit'],
  })
  const forget = atExit(() => child.kill('SIGKILL'))
  child.once('exit', forget)
  return {
    process: child,
    pid: child.pid ?? 0,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      // One that is frozen acts on SIGTERM only when it continues.
      child.kill('SIGCONT')
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
  throw new Error(`${child.process.spawnargs.join(' ')} ended without a line on standard output`)
}

/** A process and those it started, and so on (proc(5), children). */
export async function treeOf(pid: number): Promise<number[]> {
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim()
  const trees = children === '' ? [] : await Promise.all(children.split(' ').map(Number).map(treeOf))
  return [pid, ...trees.flat()]
}

/** CPU time of a process and of its children that have ended (proc(5), fields 14 to 17 of stat, in hundredths of a second). */
export async function cpuSecondsOf(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1].split(' ')
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100
}

/** CPU time that all processes have used, and what a hypervisor gave to other machines (proc(5), stat). */
export async function busySeconds(): Promise<number> {
  const [all] = (await readFile('/proc/stat', 'utf8')).split('\n')
  const [user, nice, system, , , irq, softirq, steal] = all.trim().split(/\s+/).slice(1).map(Number)
  return (user + nice + system + irq + softirq + steal) / 100
}

/** Resident memory of a process in MiB (proc(5), status). */
export async function rssMibOf(pid: number): Promise<number> {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))
  return Number(match?.[1] ?? 0) / 1024
}

/** Asks again, every `everyMs`, until `probe` gives something. What it throws last is the cause when time is up. */
export async function until<T>(
  probe: () => Promise<T | undefined>,
  options: { readonly seconds: number; readonly what: string; readonly everyMs?: number | undefined },
): Promise<T> {
  const { seconds, what, everyMs = 50 } = options
  const end = performance.now() + seconds * 1000
  let problem: unknown
  while (performance.now() < end) {
    try {
      const value = await probe()
      if (value !== undefined) return value
    } catch (error) {
      problem = error
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
  throw new Error(`${what} took longer than ${seconds} s`, { cause: problem })
}
