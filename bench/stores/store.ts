/** A queue of elements in a folder: what a buffer on disk needs of a store. */
export interface Store {
  /** Resolves once the element is on the disk. Several at once share an fsync. */
  append(element: Buffer): Promise<void>
  /** The next elements, oldest first, at most so many; nothing when all were taken. */
  take(count: number): Promise<readonly Buffer[]>
  /** Forgets the elements that the last `take` gave. */
  remove(): Promise<void>
  close(): Promise<void>
}

export interface StoreKind {
  readonly name: string
  /** Opens what is in the folder, or begins. */
  open(folder: string): Promise<Store>
}

interface Waiting {
  readonly element: Buffer
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Gathers what is appended while the last write runs, as our own log does. */
export class Gathered {
  readonly #write: (elements: readonly Buffer[]) => Promise<void>
  #waiting: Waiting[] = []
  #running = false

  constructor(write: (elements: readonly Buffer[]) => Promise<void>) {
    this.#write = write
  }

  append(element: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ element, resolve, reject })
      if (!this.#running) void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#running = true
    // Others of the same moment come along.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      const waiting = this.#waiting
      this.#waiting = []
      try {
        await this.#write(waiting.map(({ element }) => element))
        for (const { resolve } of waiting) resolve()
      } catch (error) {
        for (const { reject } of waiting) reject(error)
      }
    }
    this.#running = false
  }
}
