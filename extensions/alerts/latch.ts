/** Follows something that comes and goes: on once it has lasted for a while, off once it has been gone for a while. */
export class Latch {
  #since: number | undefined
  #last = Number.NEGATIVE_INFINITY
  #isOn = false

  /** Times in milliseconds; `now` never goes back. Returns whether it is on. */
  update(isTrue: boolean, now: number, { forMs, keepMs }: { forMs: number; keepMs: number }): boolean {
    if (isTrue) {
      this.#since ??= now
      this.#last = now
      if (now - this.#since >= forMs) this.#isOn = true
    } else {
      this.#since = undefined
      if (now - this.#last >= keepMs) this.#isOn = false
    }
    return this.#isOn
  }

  /** Whether nothing is left of it. */
  get isIdle(): boolean {
    return !this.#isOn && this.#since === undefined
  }
}
