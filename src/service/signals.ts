import type { Logger } from 'pino'

/** Aborts at the first SIGTERM or SIGINT; a second one ends the process as it ends any other. */
export function stopSignal(log: Logger, deadlineMs: number): AbortSignal {
  const stopped = new AbortController()
  const onSignal = (signal: NodeJS.Signals): void => {
    log.info({ signal, deadlineMs }, 'stopping')
    stopped.abort()
  }
  process.once('SIGTERM', onSignal).once('SIGINT', onSignal)
  return stopped.signal
}

/** Resolves when `signal` has aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** Logs rejections that nothing awaits, which would otherwise end the process. */
export function logRejections(log: Logger): void {
  process.on('unhandledRejection', (error) =>
    log.error({ err: error }, 'a promise was rejected and nobody listened'),
  )
}
