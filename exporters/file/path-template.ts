import type { BatchData } from '../../src/logs/data.ts'
import { recordText, scopeName, scopeText } from '../../src/logs/ndjson/attribute-text.ts'
import { resourceText } from '../../src/logs/ndjson/otel-context.ts'

/** What a placeholder in a path can be: a part of the record's time, in UTC, or something that is said of the record. */
export type Piece =
  | { readonly text: string }
  | { readonly date: string }
  | { readonly of: 'resource' | 'scope' | 'record'; readonly name: string }

const DATE = /YYYY|MM|DD|HH/g
const LOOKS_LIKE_DATE = /^(?:YYYY|MM|DD|HH|[-_.])+$/
const SOURCE = /^(?<of>resource|scope|record):(?<name>.+)$/s
const SCOPE_NAME = 'scope.name'
const UNSAFE = /[^A-Za-z0-9._-]/g
const MAX_NAME = 100
/** No path tells times within an hour apart. */
const HOUR_MS = 3_600_000

/** Names files after what is in the records, and never leaves the folder: values are reduced to letters, digits and `._-`. */
export class PathTemplate {
  readonly pieces: readonly Piece[]
  readonly #perRecord: boolean

  constructor(template: string) {
    this.pieces = template
      .split(/(\{[^{}]+\})/)
      .filter((piece) => piece !== '')
      .map(parsePiece)
    this.#perRecord = this.pieces.some((piece) => 'of' in piece && piece.of === 'record')
  }

  /** Gives the paths of records of a batch, by their index, that of their scope, and their time. */
  of(data: BatchData): (record: number, scope: number, timeMs: number) => string {
    let last = { scope: -1, hour: -1, path: '' }
    return (record, scope, timeMs) => {
      const hour = Math.floor(timeMs / HOUR_MS)
      if (this.#perRecord || scope !== last.scope || hour !== last.hour) {
        last = { scope, hour, path: this.path(timeMs, (piece) => textOf(piece, data, scope, record)) }
      }
      return last.path
    }
  }

  /** The path of a record; `read` tells what is said of it. */
  path(timeMs: number, read: (piece: Extract<Piece, { of: string }>) => string | undefined): string {
    return this.pieces
      .map((piece) => {
        if ('text' in piece) return piece.text
        return 'date' in piece ? formatDate(piece.date, timeMs) : safeName(read(piece))
      })
      .join('')
  }
}

function parsePiece(piece: string): Piece {
  if (!piece.startsWith('{')) return { text: piece }
  const inner = piece.slice(1, -1)
  if (LOOKS_LIKE_DATE.test(inner)) return { date: inner }
  if (inner === SCOPE_NAME) return { of: 'scope', name: '' }
  const { of = 'resource', name = inner } = SOURCE.exec(inner)?.groups ?? {}
  return { of: of as 'resource' | 'scope' | 'record', name }
}

function textOf(
  { of, name }: Extract<Piece, { of: string }>,
  data: BatchData,
  scope: number,
  record: number,
): string | undefined {
  if (of === 'resource') return resourceText(data, scope, name)
  if (of === 'record') return recordText(data, record, name)
  return name === '' ? scopeName(data, scope) : scopeText(data, scope, name)
}

/** As it is written, with the parts of the time in it: `YYYY-MM-DD` is `2026-09-21`. */
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
