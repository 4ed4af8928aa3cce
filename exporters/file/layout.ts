import type { PathTemplate } from './path-template.ts'

/** How closed files are compressed, and what is appended to their names. */
export const COMPRESSIONS = { gzip: '.gz', zstd: '.zst' } as const
export type Compression = keyof typeof COMPRESSIONS

/** Between the name of a file and the time it was closed at; no value in a path holds it. */
export const CLOSED_MARK = '@'
/** A file that is not complete yet. */
export const UNFINISHED = '.tmp'

/** What the name of one of our files tells. */
export interface FileName {
  /** The path that its lines were written to. */
  readonly active: string
  /** When it was closed, epoch milliseconds; undefined while lines are appended to it. */
  readonly closedMs: number | undefined
  readonly compression: Compression | undefined
  readonly unfinished: boolean
}

const NAME = /[A-Za-z0-9._-]{1,100}/.source
const DIGITS: Readonly<Record<string, string>> = { YYYY: '\\d{4}', MM: '\\d\\d', DD: '\\d\\d', HH: '\\d\\d' }
const PARTS = ['YYYY', 'MM', 'DD', 'HH']
const STAMP =
  /^(?<YYYY>\d{4})(?<MM>\d\d)(?<DD>\d\d)T(?<hh>\d\d)(?<mm>\d\d)(?<ss>\d\d)\.(?<ms>\d{3})Z(?<rest>.*)$/s
const ENDING = new RegExp(
  `^(?<extension>.*?)(?<packed>\\.gz|\\.zst)?(?<unfinished>${UNFINISHED.replace('.', '\\.')})?$`,
  's',
)

/**
 * The names of the files below the folder. Lines go to the path that the template gives, `cart/2026-09-21.ndjson`; once that
 * is closed it is `cart/2026-09-21@20260921T141320.123Z.ndjson`, and compressed `….ndjson.gz`. A name that is none of
 * these is somebody else's.
 */
export class Layout {
  /** Folders between the directory and the files. */
  readonly depth: number
  readonly #active: RegExp
  readonly #extension: string

  constructor(template: PathTemplate) {
    const seen = new Set<string>()
    const source = template.pieces.map((piece) => {
      if ('text' in piece) return escape(piece.text)
      return 'date' in piece ? dateSource(piece.date, seen) : NAME
    })
    this.#active = new RegExp(`^${source.join('')}$`, 's')
    this.depth = template.pieces.reduce(
      (depth, piece) => depth + ('text' in piece ? piece.text.split('/').length - 1 : 0),
      0,
    )
    const last = template.pieces.at(-1)
    this.#extension = last !== undefined && 'text' in last ? (/\.[^./]+$/.exec(last.text)?.[0] ?? '') : ''
  }

  /** Where a file goes that is closed at this time, epoch milliseconds. */
  closedPath(active: string, closedMs: number): string {
    const stem = active.slice(0, active.length - this.#extension.length)
    const stamp = new Date(closedMs).toISOString().replaceAll(/[-:]/g, '')
    return `${stem}${CLOSED_MARK}${stamp}${this.#extension}`
  }

  /** Reads the path of a file; undefined for one that is not ours. */
  parse(path: string): FileName | undefined {
    const mark = path.indexOf(CLOSED_MARK)
    if (mark === -1) {
      return this.#active.test(path)
        ? { active: path, closedMs: undefined, compression: undefined, unfinished: false }
        : undefined
    }
    const stamp = STAMP.exec(path.slice(mark + 1))?.groups
    if (stamp === undefined) return undefined
    const { YYYY, MM, DD, hh, mm, ss, ms } = stamp
    const closedMs = Date.parse(`${YYYY}-${MM}-${DD}T${hh}:${mm}:${ss}.${ms}Z`)
    const { extension, packed, unfinished } = ENDING.exec(stamp.rest)?.groups ?? {}
    const active = path.slice(0, mark) + this.#extension
    if (Number.isNaN(closedMs) || extension !== this.#extension || !this.#active.test(active))
      return undefined
    const compression = packed === undefined ? undefined : packed === COMPRESSIONS.gzip ? 'gzip' : 'zstd'
    return { active, closedMs, compression, unfinished: unfinished !== undefined }
  }

  /** When the day or hour in the path is over, epoch milliseconds; undefined where there is none. */
  periodEnd(active: string): number | undefined {
    const parts = this.#active.exec(active)?.groups ?? {}
    const values = PARTS.map((part) => parts[part])
    const known = values.findIndex((value) => value === undefined)
    const precision = known === -1 ? PARTS.length : known
    if (precision === 0) return undefined
    const [year, month = 1, day = 1, hour = 0] = values.slice(0, precision).map(Number)
    const next = [0, 0, 0, 0].map((_, index) => (index === precision - 1 ? 1 : 0))
    return Date.UTC(year + next[0], month - 1 + next[1], day + next[2], hour + next[3])
  }
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

/** The first of each part of a date is named, for `periodEnd`. */
function dateSource(format: string, seen: Set<string>): string {
  return format.replaceAll(/YYYY|MM|DD|HH|[-_.]/g, (part) => {
    const digits = DIGITS[part]
    if (digits === undefined) return escape(part)
    if (seen.size === seen.add(part).size) return digits
    return `(?<${part}>${digits})`
  })
}
