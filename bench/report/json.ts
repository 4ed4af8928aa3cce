import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem } from 'node:os'
import { RUNTIME, type Runtime } from '../../test/servers/runtime.ts'
import type { SuiteResult } from '../figures.ts'

/** What figures depend on. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryMib: number
  readonly kernel: string
  readonly node: string
  readonly redis: string
}

export interface Report {
  readonly date: string
  readonly commit: string
  readonly machine: Machine
  /** Of the command line. */
  readonly options: Readonly<Record<string, unknown>>
  /** Of Node, for the processes of Sluice. */
  readonly runtime: Runtime
  readonly suites: readonly SuiteResult[]
}

export function makeReport(
  options: Readonly<Record<string, unknown>>,
  suites: readonly SuiteResult[],
): Report {
  return {
    date: new Date().toISOString(),
    commit: commit(),
    machine: machine(),
    options,
    runtime: RUNTIME,
    suites,
  }
}

export function machine(): Machine {
  return {
    cpu: cpus()[0].model,
    cores: cpus().length,
    memoryMib: Math.round(totalmem() / 2 ** 20),
    kernel: release(),
    node: process.version,
    redis: /v=(\S+)/.exec(output(process.env.SLUICE_REDIS_SERVER ?? 'redis-server', '--version'))?.[1] ?? '',
  }
}

/** With `+` where files differ from it; empty outside a checkout. */
function commit(): string {
  const changed = output('git', 'status', '--porcelain', '--untracked-files=no')
  return output('git', 'rev-parse', '--short', 'HEAD') + (changed === '' ? '' : '+')
}

function output(command: string, ...args: readonly string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return ''
  }
}
