import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { atExit } from './at-exit.ts'

/** Lines of output kept for the message of an error. */
const KEPT_LINES = 200

export interface CommandOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly uid?: number
  readonly gid?: number
}

/** A long-running child. It dies with this process, however this process ends. */
export class Child {
  /** Settles when the process has ended and its output is read; never rejects. */
  readonly exited: Promise<void>
  readonly #process: ChildProcess
  readonly #name: string
  readonly #lines: string[] = []
  readonly #watchers = new Set<(line: string) => void>()
  #ending: string | undefined

  constructor(command: string, args: readonly string[], options: CommandOptions = {}) {
    const [program, ...rest] = [...tether(), command, ...args]
    this.#name = command
    this.#process = spawn(program, rest, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#receive(line))
    }
    const forget = atExit(() => this.#process.kill('SIGKILL'))
    const { promise, resolve } = Promise.withResolvers<void>()
    const end = (how: string) => {
      this.#ending ??= how
      forget()
      resolve()
    }
    this.#process.once('error', (error) => end(`could not be started: ${error.message}`))
    this.#process.once('close', (code, signal) => end(`ended with ${signal ?? `code ${code}`}`))
    this.exited = promise
  }

  /** 0 when the program could not be started. */
  get pid(): number {
    return this.#process.pid ?? 0
  }

  get running(): boolean {
    return this.#ending === undefined
  }

  /** The last lines the process wrote to stdout and stderr. */
  get output(): string {
    return this.#lines.join('\n')
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name)
  }

  /** Resolves with the first line that matches, written before or after this call. */
  async line(pattern: RegExp, timeout: number): Promise<string> {
    const early = this.#lines.find((line) => pattern.test(line))
    if (early !== undefined) return early
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const watch = (line: string) => pattern.test(line) && resolve(line)
    const timer = setTimeout(() => reject(this.#error(`did not print ${pattern} in ${timeout} ms`)), timeout)
    void this.exited.then(() => reject(this.#error(this.#ending ?? 'ended')))
    this.#watchers.add(watch)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      this.#watchers.delete(watch)
    }
  }

  /** Asks the process to end and kills it after `grace` milliseconds. Resolves with whether it ended by itself. */
  async stop(grace: number, ask = () => this.signal('SIGTERM')): Promise<boolean> {
    if (!this.running) return true
    // A stopped process acts on SIGTERM only when it continues.
    this.signal('SIGCONT')
    ask()
    const over = new AbortController()
    const late = delay(grace, true, { signal: over.signal }).catch(() => false)
    const stuck = await Promise.race([this.exited.then(() => false), late])
    over.abort()
    if (stuck) await this.kill()
    return !stuck
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.exited
  }

  #receive(line: string): void {
    this.#lines.push(line)
    if (this.#lines.length > KEPT_LINES) this.#lines.shift()
    for (const watcher of this.#watchers) watcher(line)
  }

  #error(what: string): Error {
    return new Error(`${this.#name} ${what}; its last output:\n${this.#lines.slice(-20).join('\n')}`)
  }
}

/** Runs a command to its end, with `input` on its stdin. Rejects with its last output unless it exits with 0. */
export async function run(
  command: string,
  args: readonly string[],
  { input = '', ...options }: CommandOptions & { readonly input?: string } = {},
): Promise<void> {
  const child = spawn(command, args, { ...options, stdio: 'pipe' })
  // A program that does not read may be gone before it is all written.
  child.stdin.on('error', () => {}).end(input)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-4000)
    })
  }
  const [code, signal] = await once(child, 'close')
  if (code === 0) return
  throw new Error(`${command} ${args.join(' ')} ended with ${signal ?? `code ${code}`}:\n${output.trim()}`)
}

/** Where a program is on PATH. */
export function which(name: string): string | undefined {
  const places = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  return places.map((folder) => join(folder, name)).find(executable)
}

export function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

let tetherArgs: readonly string[] | undefined

/** On Linux the kernel kills a child of `setpriv --pdeathsig` with its parent, even one that died of SIGKILL. */
function tether(): readonly string[] {
  const program = tetherArgs ? undefined : which('setpriv')
  const able = program && spawnSync(program, ['--help'], { encoding: 'utf8' }).stdout?.includes('--pdeathsig')
  tetherArgs ??= able ? [program, '--pdeathsig', 'KILL', '--'] : []
  return tetherArgs
}
