/** What has something to write. */
interface Writing {
  flush(): void
}

/**
 * Has connections write at the end of a turn of the event loop, each what it has by then: answers of one turn, however
 * many, are one write.
 */
export class Turn {
  #writing: Writing[] = []
  readonly #end = (): void => {
    const writing = this.#writing
    this.#writing = []
    for (const one of writing) one.flush()
  }

  /** Called once a turn for each. */
  add(writing: Writing): void {
    if (this.#writing.push(writing) === 1) setImmediate(this.#end)
  }
}
