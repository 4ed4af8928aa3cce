import type { Logger } from 'pino'
import type { Lifecycle } from '../component.ts'

/** One thing to start and stop, with the name that errors and logs give it. */
export interface Part {
  readonly id: string
  readonly lifecycle: Lifecycle
}

/** Things that start one after the other and stop the other way round. */
export class Parts {
  readonly #log: Logger
  readonly #parts: Part[] = []
  #started: Part[] = []

  constructor(log: Logger) {
    this.#log = log
  }

  add(...parts: readonly Part[]): void {
    this.#parts.push(...parts)
  }

  /** Starts everything in the order it was added. Rejects when a part cannot start; those before it still run. */
  async start(): Promise<void> {
    for (const part of this.#parts) {
      await part.lifecycle.start?.()
      this.#started.push(part)
    }
  }

  /** Stops what was started. Never rejects: what cannot stop cleanly is logged. */
  async stop(deadline: AbortSignal): Promise<void> {
    const parts = this.#started.reverse()
    this.#started = []
    for (const { id, lifecycle } of parts) {
      try {
        await lifecycle.stop?.(deadline)
      } catch (error) {
        this.#log.error({ err: error, component: id }, 'could not stop cleanly')
      }
    }
  }
}
