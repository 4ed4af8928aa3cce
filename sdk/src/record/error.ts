import { read, readText } from './read.ts'

/** Errors that one error tells of: the causes and the parts of an AggregateError, together. */
const MAX_RELATED = 16
/** What `describeError` says itself, and what is no property of the error but of its kind. */
const OWN_WORDS = new Set(['type', 'name', 'message', 'stack', 'cause', 'errors'])

/** Also of another realm: a `vm` context, a test runner. Never throws. */
export function isError(value: unknown): value is Error {
  if (typeof value !== 'object' || value === null) return false
  try {
    return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]'
  } catch {
    return false
  }
}

/** What kind of error it is: its name, or that of its class where it has none of its own. */
export function errorType(error: Error): string {
  const name = readText(error, 'name') ?? 'Error'
  if (name !== 'Error') return name
  const constructor = read(error, 'constructor')
  return typeof constructor === 'function' ? (readText(constructor, 'name') ?? name) : name
}

/** An error within other values: what is known of it, and the properties that it was given. */
export function describeError(error: Error): Record<string, unknown> {
  return {
    type: errorType(error),
    message: readText(error, 'message'),
    stack: readText(error, 'stack'),
    cause: read(error, 'cause'),
    errors: read(error, 'errors'),
    ...propertiesOf(error),
  }
}

/** Properties that the error was given besides those that every error has: `code`, `statusCode`, … */
export function propertiesOf(error: Error): Record<string, unknown> | undefined {
  const keys = Object.keys(error).filter((key) => !OWN_WORDS.has(key))
  return keys.length === 0 ? undefined : Object.fromEntries(keys.map((key) => [key, read(error, key)]))
}

/** An error that another one tells of, and what it is to that one. */
interface Related {
  readonly heading: string
  readonly error: unknown
}

/** The causes of an error and the parts of an AggregateError, the nearest first, each once. */
function relatedOf(error: Error): Related[] {
  const found: Related[] = []
  const seen = new Set<unknown>([error])
  const add = (heading: string, related: unknown): void => {
    if (related === undefined || related === null || seen.has(related) || found.length === MAX_RELATED) return
    seen.add(related)
    found.push({ heading, error: related })
    if (isError(related)) addAll(related)
  }
  const addAll = (from: Error): void => {
    add('Caused by', read(from, 'cause'))
    const errors = read(from, 'errors')
    if (!Array.isArray(errors)) return
    for (let i = 0; i < errors.length && found.length < MAX_RELATED; i++) add(`Error ${i + 1}`, errors[i])
  }
  addAll(error)
  return found
}

/** `exception.stacktrace`: the stack of the error, then those of its causes and parts. */
export function stacktraceOf(error: Error): string | undefined {
  const related = relatedOf(error)
  const stack = readText(error, 'stack')
  if (related.length === 0) return stack
  return [
    stack ?? headlineOf(error),
    ...related.map(({ heading, error }) => `${heading}: ${stackOf(error)}`),
  ].join('\n')
}

/** What the causes and parts are, to search for; undefined without any. */
export function causesOf(error: Error): { type: string; message: string | undefined }[] | undefined {
  const related = relatedOf(error)
  if (related.length === 0) return undefined
  return related.map(({ error }) =>
    isError(error)
      ? { type: errorType(error), message: readText(error, 'message') }
      : { type: typeof error, message: textOf(error) },
  )
}

function stackOf(error: unknown): string {
  return isError(error) ? (readText(error, 'stack') ?? headlineOf(error)) : textOf(error)
}

function headlineOf(error: Error): string {
  return `${errorType(error)}: ${readText(error, 'message') ?? ''}`
}

/** Of something that was thrown although it is no error: without reading an object. */
function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : `[${typeof value}]`
}
