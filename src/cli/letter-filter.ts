import type { Times } from '../buffer/admin.ts'
import type { Letter } from '../buffer/letters.ts'
import { ConfigError } from '../config/errors.ts'
import { duration } from '../config/fields.ts'
import { showRecords } from './records.ts'

export interface FilterOptions {
  readonly where?: readonly string[]
  readonly since?: string
  readonly until?: string
}

/** Whether a dead letter is meant. */
type LetterFilter = (letter: Letter) => boolean

/** Which letters are meant. */
export interface Selection {
  readonly isMeant: LetterFilter
  /** None that is meant was buried at another time. */
  readonly times: Times
}

const CONDITION = /^(?<name>[^=!~]+)(?<operator>=~|!~|!=|=)(?<value>.*)$/s

/** Reads filters as the user wrote them; a letter must pass all. Throws a `ConfigError`. */
export function letterFilter(ids: readonly string[], { where = [], since, until }: FilterOptions): Selection {
  const filters = where.map(parseCondition)
  if (ids.length > 0) filters.push(({ id }) => ids.some((prefix) => id.startsWith(prefix)))
  const from = since === undefined ? undefined : parseTime('--since', since)
  const to = until === undefined ? undefined : parseTime('--until', until)
  if (from !== undefined) filters.push(({ buriedMs }) => buriedMs !== undefined && buriedMs >= from)
  if (to !== undefined) filters.push(({ buriedMs }) => buriedMs !== undefined && buriedMs < to)
  return {
    isMeant: (letter) => filters.every((filter) => filter(letter)),
    times: { since: from, until: to },
  }
}

function parseCondition(condition: string): LetterFilter {
  const { name, operator, value } = CONDITION.exec(condition)?.groups ?? {}
  if (name === undefined) {
    throw ConfigError.about(
      '--where',
      `${JSON.stringify(condition)}: expected name=value, name!=value, name=~pattern or name!~pattern`,
    )
  }
  const isWanted = operator.endsWith('~') ? patternTest(value) : (text: string) => text === value
  // Of several records one is enough, and to leave out what has one, none.
  const found = (letter: Letter): boolean => valuesOf(letter, name.trim()).some(isWanted)
  return operator.startsWith('!') ? (letter) => !found(letter) : found
}

function patternTest(pattern: string): (text: string) => boolean {
  try {
    const regex = new RegExp(pattern, 'u')
    return (text) => regex.test(text)
  } catch (cause) {
    throw ConfigError.about('--where', cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

/** Of the letter itself, or of its records: resource and record attributes, by name. */
function valuesOf({ id, reason, pipeline, kept, batch }: Letter, name: string): string[] {
  const own: Readonly<Record<string, string | undefined>> = {
    id,
    reason,
    pipeline,
    stream: kept.stream,
    ...(kept.document && { index: kept.document.index, document: kept.document.id }),
  }
  if (Object.hasOwn(own, name)) return own[name] === undefined ? [] : [own[name]]
  if (batch === undefined) return []
  const values = new Set<string>()
  for (const { record } of showRecords(batch)) {
    const { resource, attributes } = record as {
      readonly resource?: { readonly attributes?: Attributes }
      readonly attributes?: Attributes
    }
    const value = resource?.attributes?.[name] ?? attributes?.[name]
    if (value !== undefined) values.add(typeof value === 'string' ? value : JSON.stringify(value))
  }
  return [...values]
}

type Attributes = Readonly<Record<string, unknown>>

/** A time, or how long ago: epoch milliseconds. */
function parseTime(option: string, text: string): number {
  const ago = duration().safeParse(text)
  if (ago.success) return Date.now() - ago.data
  const time = Date.parse(text)
  if (!Number.isNaN(time)) return time
  throw ConfigError.about(
    option,
    `${JSON.stringify(text)}: expected a time such as 2026-08-01T12:00:00Z, or how long ago, such as 2h`,
  )
}
