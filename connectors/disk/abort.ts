/** Settles as the promise does, or resolves when `signal` aborts before. */
export function unlessAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => resolve()
    signal.addEventListener('abort', giveUp, { once: true })
    if (signal.aborted) giveUp()
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}
