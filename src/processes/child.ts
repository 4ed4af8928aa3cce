import type { ChildProcess } from 'node:child_process'
import type { Which } from '../telemetry/metrics.ts'
import type { News, Order, Report } from './messages.ts'

/** How a process ended. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** What it said before, when it could not start. */
  readonly message?: string | undefined
}

/** One worker process, as long as it lives. */
export class Child {
  /** Resolves with true once it says that it is ready, with false if it ends before. */
  readonly ready: Promise<boolean>
  readonly exited: Promise<Exit>
  readonly #process: ChildProcess
  readonly #questions = new Map<number, (report: Report | undefined) => void>()
  #asked = 0
  #message: string | undefined

  /** `heard` is given every report, in the order they were made. */
  constructor(process: ChildProcess, heard: (report: Report) => void) {
    this.#process = process
    const ready = Promise.withResolvers<boolean>()
    const exited = Promise.withResolvers<Exit>()
    this.ready = ready.promise
    this.exited = exited.promise
    const end = (exit: Exit): void => {
      exited.resolve({ ...exit, message: this.#message })
      ready.resolve(false)
      for (const answer of this.#questions.values()) answer(undefined)
      this.#questions.clear()
    }
    process.on('message', (news: News) => {
      if (news.type === 'ready') ready.resolve(true)
      else if (news.type === 'failed') this.#message = news.message
      else {
        heard(news)
        if (news.id !== undefined) this.#answer(news.id, news)
      }
    })
    // Its last words may arrive after it has ended, but not after the connection has.
    const disconnected = new Promise<void>((resolve) => process.once('disconnect', resolve))
    process.on('exit', (code, signal) => void disconnected.then(() => end({ code, signal })))
    process.on('error', (error) => {
      // A process that never was has no exit.
      if (process.pid !== undefined) return
      this.#message = error.message
      end({ code: null, signal: null })
    })
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** Whether it was asked something that it has not answered yet, or cannot be asked any more. */
  get owesAnswer(): boolean {
    return this.#questions.size > 0 || !this.#process.connected
  }

  tell(order: Order): void {
    // One that is just ending does not hear it, and its exit says the rest.
    if (this.#process.connected) this.#process.send(order, () => {})
  }

  /** Asks how it is. Resolves with undefined if it ends before it has answered. */
  report(metrics: Which): Promise<Report | undefined> {
    if (!this.#process.connected) return Promise.resolve(undefined)
    const id = ++this.#asked
    return new Promise((resolve) => {
      this.#questions.set(id, resolve)
      this.tell({ type: 'report', id, metrics })
    })
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }

  #answer(id: number, report: Report): void {
    this.#questions.get(id)?.(report)
    this.#questions.delete(id)
  }
}
