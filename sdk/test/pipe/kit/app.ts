import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { atExit } from '../../../../test/servers/at-exit.ts'
import type { DropReason } from '../../../src/pipe/counters.ts'
import type { AppOptions } from '../fixtures/app.ts'

const APP = fileURLToPath(new URL('../fixtures/app.ts', import.meta.url))

/** What an application counted when it ended. */
export interface AppCounters {
  readonly logged: number
  readonly accepted: number
  readonly sent: number
  readonly spilled: number
  readonly lost: number
  readonly dropped: Readonly<Record<DropReason, number>>
}

/** An application that runs. */
export interface App {
  readonly pid: number
  /** What it wrote to standard error so far. */
  readonly errors: string
  /** Resolves once its first records are logged. */
  readonly logged: Promise<void>
  /** Resolves with how it ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  /** Only after it ended, and unless it was killed. */
  readonly counters: AppCounters
  kill(signal: NodeJS.Signals): void
}

export function startApp(options: AppOptions): App {
  const child: ChildProcess = spawn(process.execPath, [APP, JSON.stringify(options)], { stdio: 'pipe' })
  const forget = atExit(() => child.kill('SIGKILL'))
  let output = ''
  let errors = ''
  const logged = new Promise<void>((resolve, reject) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (output.includes('logged\n')) resolve()
    })
    child.once('close', () => reject(new Error(`the application ended early:\n${errors}`)))
  })
  logged.catch(() => {})
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const ended = once(child, 'close').then(([code, signal]) => {
    forget()
    return { code: code as number | null, signal: signal as NodeJS.Signals | null }
  })
  return {
    pid: child.pid ?? 0,
    get errors() {
      return errors
    },
    logged,
    ended,
    get counters() {
      const line = /^counters (.*)$/m.exec(output)?.[1]
      if (line === undefined) throw new Error(`the application told no counters:\n${errors}`)
      return JSON.parse(line) as AppCounters
    },
    kill: (signal) => void child.kill(signal),
  }
}
