/** Whether the receiver takes logs, and who wants to know when that changes. */
export class Serving {
  #now = false
  readonly #watchers = new Set<() => void>()

  get now(): boolean {
    return this.#now
  }

  set now(serving: boolean) {
    if (serving === this.#now) return
    this.#now = serving
    for (const changed of this.#watchers) changed()
  }

  /** Calls `changed` on every change, until what is returned is called. */
  watch(changed: () => void): () => void {
    this.#watchers.add(changed)
    return () => void this.#watchers.delete(changed)
  }
}
