/** Settles as the promise does, or resolves when `signal` aborts before. */
export function unlessAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    // Not Promise.race with a promise of the signal: that one would keep something of every race until it settles.
    const giveUp = (): void => resolve()
    signal.addEventListener('abort', giveUp, { once: true })
    if (signal.aborted) giveUp()
    promise.then(giveUp, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}
