/** Waits that can be cut short. They do not keep the process alive. */
export class Naps {
  readonly #wakers = new Set<() => void>()

  /** Resolves after `millis`, or with the next `wake`. */
  nap(millis: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#wakers.delete(end)
        resolve()
      }
      const timer = setTimeout(end, millis).unref()
      this.#wakers.add(end)
    })
  }

  /** Ends all waits that have begun. */
  wake(): void {
    for (const end of [...this.#wakers]) end()
  }
}
