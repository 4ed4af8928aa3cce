/** First in, first out, at the same cost whatever its length. */
export class Fifo<T> {
  #items: T[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  get first(): T | undefined {
    return this.#items[this.#head]
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined
    const item = this.#items[this.#head++]
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) this.#compact()
    return item
  }

  /** Puts items ahead of all others, in their order. */
  unshift(items: readonly T[]): void {
    this.#items = [...items, ...this.#items.slice(this.#head)]
    this.#head = 0
  }

  clear(): T[] {
    this.#compact()
    return this.#items.splice(0)
  }

  *[Symbol.iterator](): Generator<T, void, undefined> {
    for (let place = this.#head; place < this.#items.length; place++) yield this.#items[place]
  }

  #compact(): void {
    this.#items = this.#items.slice(this.#head)
    this.#head = 0
  }
}
