/** What a placeholder in a path can be: a day part of the record's time, in UTC, or a resource attribute. */
type Piece = { readonly text: string } | { readonly date: string } | { readonly attribute: string }

const DATE = /YYYY|MM|DD|HH/g
const LOOKS_LIKE_DATE = /^(?:YYYY|MM|DD|HH|[-_.])+$/
const UNSAFE = /[^A-Za-z0-9._-]/g
const MAX_NAME = 100

/** Names files after what is in the records, and never leaves the folder: values are reduced to letters, digits and `._-`. */
export class PathTemplate {
  readonly #pieces: readonly Piece[]

  constructor(template: string) {
    this.#pieces = template
      .split(/(\{[^{}]+\})/)
      .filter((piece) => piece !== '')
      .map((piece) => {
        if (!piece.startsWith('{')) return { text: piece }
        const name = piece.slice(1, -1)
        return LOOKS_LIKE_DATE.test(name) ? { date: name } : { attribute: name }
      })
  }

  /** The path of a record; `attribute` reads one of its resource. */
  path(timeMs: number, attribute: (name: string) => string | undefined): string {
    return this.#pieces
      .map((piece) => {
        if ('text' in piece) return piece.text
        return 'date' in piece ? formatDate(piece.date, timeMs) : safeName(attribute(piece.attribute))
      })
      .join('')
  }
}

function formatDate(format: string, timeMs: number): string {
  const [date, time] = new Date(timeMs).toISOString().split('T')
  const [year, month, day] = date.split('-')
  const values: Record<string, string> = { YYYY: year, MM: month, DD: day, HH: time.slice(0, 2) }
  return format.replace(DATE, (part) => values[part])
}

/** A name that is no path: without separators, and never `.`, `..` or hidden. */
function safeName(value: string | undefined): string {
  const name = (value ?? '').replace(UNSAFE, '_').replace(/^\.+/, '_').slice(0, MAX_NAME)
  return name === '' ? 'unknown' : name
}
