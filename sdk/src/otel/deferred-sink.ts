import type { LogSink } from '../logger/log-sink.ts'
import type { Scope } from '../pipe/sink.ts'

const MAX_HELD_BYTES = 1024 * 1024

interface Held {
  readonly scope: Scope
  readonly severity: number
  readonly bytes: Uint8Array
}

/** A sink that is opened once its resource is known. It does not wait for that when it holds a lot, or is flushed. */
export class DeferredSink implements LogSink {
  readonly #open: () => LogSink
  #sink: LogSink | undefined
  #held: Held[] = []
  #heldBytes = 0

  constructor(ready: Promise<void> | undefined, open: () => LogSink) {
    this.#open = open
    if (ready === undefined) this.#opened()
    else
      void ready.then(
        () => this.#opened(),
        () => this.#opened(),
      )
  }

  accept(scope: Scope, severity: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#sink === undefined && this.#heldBytes + end - start <= MAX_HELD_BYTES) {
      this.#held.push({ scope, severity, bytes: bytes.slice(start, end) })
      this.#heldBytes += end - start
      return true
    }
    return this.#opened().accept(scope, severity, bytes, start, end)
  }

  flush(timeoutMillis?: number): Promise<boolean> {
    return this.#opened().flush(timeoutMillis)
  }

  shutdown(timeoutMillis?: number): Promise<boolean> {
    return this.#opened().shutdown(timeoutMillis)
  }

  #opened(): LogSink {
    if (this.#sink !== undefined) return this.#sink
    const sink = (this.#sink = this.#open())
    for (const { scope, severity, bytes } of this.#held) sink.accept(scope, severity, bytes, 0, bytes.length)
    this.#held = []
    return sink
  }
}
