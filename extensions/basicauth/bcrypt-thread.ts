import { parentPort, Worker, workerData } from 'node:worker_threads'
import { compareSync } from 'bcryptjs'
import { RetryableError } from '../../src/component.ts'

const MARK = 'sluice bcrypt'
/** Whoever sends many wrong passwords fills this, and not the memory. */
const MOST_WAITING = 64

interface Question {
  readonly id: number
  readonly password: string
  readonly hash: string
}

interface Answer {
  readonly id: number
  readonly isRight: boolean
}

/**
 * Compares passwords in a thread of its own, one after the other: each takes a tenth of a second, during which requests
 * go on. The thread starts with the first.
 */
export class BcryptThread {
  #worker: Worker | undefined
  #next = 0
  readonly #waiting = new Map<number, PromiseWithResolvers<boolean>>()

  /** @throws RetryableError when too many wait, or the thread has ended */
  async compare(password: string, hash: string): Promise<boolean> {
    if (this.#waiting.size >= MOST_WAITING)
      throw new RetryableError('too many passwords are being verified', { reason: 'auth_busy' })
    const id = this.#next++
    const answer = Promise.withResolvers<boolean>()
    this.#waiting.set(id, answer)
    this.#worker ??= this.#start()
    this.#worker.postMessage({ id, password, hash } satisfies Question)
    return await answer.promise
  }

  async stop(): Promise<void> {
    await this.#worker?.terminate()
  }

  #start(): Worker {
    const worker = new Worker(new URL(import.meta.url), { workerData: MARK })
    worker.unref()
    worker.on('message', ({ id, isRight }: Answer) => {
      this.#waiting.get(id)?.resolve(isRight)
      this.#waiting.delete(id)
    })
    const ended = (cause?: Error): void => {
      this.#worker = undefined
      for (const { reject } of this.#waiting.values())
        reject(new RetryableError('passwords cannot be verified', { cause, reason: 'auth_unavailable' }))
      this.#waiting.clear()
    }
    worker.on('error', ended)
    worker.on('exit', () => ended())
    return worker
  }
}

if (workerData === MARK) {
  parentPort?.on('message', ({ id, password, hash }: Question) => {
    parentPort?.postMessage({ id, isRight: compareSync(password, hash) } satisfies Answer)
  })
}
