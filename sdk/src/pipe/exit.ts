import process from 'node:process'
import { isMainThread } from 'node:worker_threads'

/** Somebody who has work to finish before the process ends. */
export interface Leaving {
  /** Whether there is any. */
  pending(): boolean
  /** Finishes it; false when that took too long. */
  flush(): Promise<boolean>
  /** The application has thrown what nobody caught. */
  uncaught(error: unknown, origin: string): void
  /** Puts away what is left, before it returns: the process ends now. */
  exit(): void
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/** All who have registered, and the listeners of the process; one for all copies of this package. */
interface Registry {
  readonly leaving: Set<Leaving>
  install(): void
  remove(): void
}

const KEY = Symbol.for('@sluice/logs exit 1')

/** Calls `leaving` when the process ends, in whichever way it does. Returns how to have that undone. */
export function onExit(leaving: Leaving): () => void {
  const global = globalThis as { [KEY]?: Registry }
  const registry = (global[KEY] ??= createRegistry())
  if (registry.leaving.size === 0) registry.install()
  registry.leaving.add(leaving)
  return () => {
    if (registry.leaving.delete(leaving) && registry.leaving.size === 0) registry.remove()
  }
}

function createRegistry(): Registry {
  const leaving = new Set<Leaving>()
  /** Who could not finish once is not waited for again. */
  const late = new WeakSet<Leaving>()
  let ending = false

  const beforeExit = (): void => {
    for (const one of leaving) {
      if (!one.pending() || late.has(one)) continue
      void one.flush().then((finished) => !finished && late.add(one))
    }
  }
  const exit = (): void => {
    for (const one of leaving) one.exit()
  }
  const uncaught = (error: unknown, origin: string): void => {
    for (const one of leaving) one.uncaught(error, origin)
  }
  const signalled = (signal: NodeJS.Signals): void => {
    const flushed = Promise.all([...leaving].map((one) => one.flush()))
    // The application decides when it ends, and whether; whoever is impatient signals twice.
    if (othersListen(signal)) return
    if (ending) return raise(signal)
    ending = true
    void flushed.then(() => raise(signal))
  }
  /** Ends the process as the signal would have without us. */
  const raise = (signal: NodeJS.Signals): void => {
    exit()
    process.removeListener(signal, signalled)
    process.kill(process.pid, signal)
  }
  const othersListen = (signal: NodeJS.Signals): boolean =>
    process.listenerCount(signal) - (process.listeners(signal).includes(signalled) ? 1 : 0) > raisers()

  return {
    leaving,
    install() {
      process.on('beforeExit', beforeExit).on('exit', exit).on('uncaughtExceptionMonitor', uncaught)
      if (isMainThread) for (const signal of SIGNALS) process.on(signal, signalled)
    },
    remove() {
      process
        .removeListener('beforeExit', beforeExit)
        .removeListener('exit', exit)
        .removeListener('uncaughtExceptionMonitor', uncaught)
      for (const signal of SIGNALS) process.removeListener(signal, signalled)
    },
  }
}

/**
 * Listeners of the `signal-exit` package, which raise the signal again once they are alone with it, as we do: each
 * would wait for the other.
 */
function raisers(): number {
  const third = (process as { __signal_exit_emitter__?: { count?: number } }).__signal_exit_emitter__
  const key = Symbol.for('signal-exit emitter')
  const fourth = (globalThis as { [key]?: { count?: number } })[key]
  return (third?.count ?? 0) + (fourth?.count ?? 0)
}
