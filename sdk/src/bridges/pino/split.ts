/** A line that is longer is cut, in UTF-16 units: no record is. */
const MAX_LINE = 16 * 1024 * 1024

/** Cuts a text that comes in pieces into its lines. */
export class LineSplitter {
  readonly #line: (line: string) => void
  #rest = ''
  #skipping = false

  constructor(line: (line: string) => void) {
    this.#line = line
  }

  write(text: string): void {
    let start = 0
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      this.#add(text.slice(start, end))
      this.end()
      this.#skipping = false
      start = end + 1
    }
    if (start < text.length) this.#add(text.slice(start))
  }

  /** Takes what came without an end as a line. */
  end(): void {
    const line = this.#rest.endsWith('\r') ? this.#rest.slice(0, -1) : this.#rest
    this.#rest = ''
    if (line !== '') this.#line(line)
  }

  #add(piece: string): void {
    if (this.#skipping) return
    this.#rest += piece
    if (this.#rest.length <= MAX_LINE) return
    this.#rest = this.#rest.slice(0, MAX_LINE)
    this.end()
    this.#skipping = true
  }
}
