import type { Source } from './source.ts'

/** Bytes that a stream of weight 1 may take while others wait, before it is the next one's turn. */
const QUANTUM = 256 * 1024
/** Bytes after which a stream takes no more at once, though none waits. */
const TAKE_BYTES = 16 * 1024 * 1024

export interface Turn {
  readonly source: Source
  readonly maxBytes: number
}

/**
 * Whose turn it is: deficit round robin by bytes. Every stream that has something gets its quantum in every
 * round, times its weight; what it takes beyond that is missing in the next. A stream alone takes what it can.
 */
export class Rota {
  readonly #sources = new Map<string, Source>()
  /** The stream whose turn it is; it goes on while it has a rest. */
  #current: Source | undefined

  get sources(): readonly Source[] {
    return [...this.#sources.values()]
  }

  get(name: string): Source | undefined {
    return this.#sources.get(name)
  }

  add(source: Source): void {
    this.#sources.set(source.name, source)
  }

  remove(source: Source): void {
    this.#sources.delete(source.name)
    if (this.#current === source) this.#current = undefined
  }

  /** Who is next, or nothing where all have been asked just before; `first` goes ahead of all. */
  next(now: number, first?: Source): Turn | undefined {
    if (first) return { source: first, maxBytes: 1 }
    const due = this.sources.filter((source) => source.due <= now)
    if (due.length === 0) return undefined
    if (due.length === 1) {
      this.#current = undefined
      return { source: due[0], maxBytes: TAKE_BYTES }
    }
    if (this.#current && due.includes(this.#current)) {
      return { source: this.#current, maxBytes: this.#current.deficit }
    }
    for (;;) {
      const source = due.shift() as Source
      this.#toTheEnd(source)
      source.deficit += QUANTUM * source.weight
      if (source.deficit > 0) {
        this.#current = source
        return { source, maxBytes: Math.min(source.deficit, TAKE_BYTES) }
      }
      due.push(source)
    }
  }

  /** Milliseconds until somebody is due, and not more than `most`. */
  pause(now: number, most: number): number {
    return Math.max(0, Math.min(most, ...this.sources.map((source) => source.due - now)))
  }

  /** What the turn came to: `more` where the stream has not been emptied. */
  took({ source }: Turn, bytes: number, more: boolean): void {
    if (this.#current !== source) return
    source.deficit = more ? source.deficit - bytes : 0
    if (!more || source.deficit <= 0) this.#current = undefined
  }

  /** The order of the map is the order of the turns. */
  #toTheEnd(source: Source): void {
    this.#sources.delete(source.name)
    this.#sources.set(source.name, source)
  }
}
