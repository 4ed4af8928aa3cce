import type { ForeignRecord } from '../../logger/logger.ts'
import { isError } from '../../record/error.ts'
import { errorOfPlain } from '../shared/plain-error.ts'
import { isPlainObject } from '../shared/plain-object.ts'
import { nanosOfTime } from '../shared/time.ts'

const SPLAT = Symbol.for('splat')
/** What winston adds to an uncaught exception: the resource tells it, or the exception. */
const CRASH_KEYS = ['error', 'exception', 'rejection', 'date', 'process', 'os', 'trace'] as const

/** What a transport of winston is given; a logger may also hand on the very error that was logged. */
export interface Info {
  readonly [key: string | symbol]: unknown
}

type Content = Pick<ForeignRecord, 'body' | 'fields' | 'error' | 'time'>

/** What a record of winston says, whatever formats have made of it. */
export function contentOf(info: Info): Content {
  const { level: _level, message, timestamp, ...fields } = info as Record<string, unknown>
  const error = errorOf(info)
  const time = nanosOfTime(timestamp)
  if (timestamp !== undefined && time === undefined) fields.timestamp = timestamp
  if (error !== undefined) leaveOut(fields, error)
  if (info.exception === true || info.rejection === true) for (const key of CRASH_KEYS) delete fields[key]
  const said = message ?? error?.message
  if (isError(said)) return { body: said.message, fields, error, time }
  return isPlainObject(said)
    ? { body: undefined, fields: { ...said, ...fields }, error, time }
    : { body: said, fields, error, time }
}

/** The error that was logged: alone, as the message, beside it, or made plain by `format.errors`. */
function errorOf(info: Info): Error | undefined {
  // Its own properties are those of the record, winston's `level` among them.
  if (isError(info)) return Object.create(info) as Error
  const splat = info[SPLAT]
  const candidates = [info.error, info.message, ...(Array.isArray(splat) ? splat : [])]
  const error = candidates.find(isError)
  if (error !== undefined || typeof info.stack !== 'string') return error
  const { message, stack, cause } = info
  return errorOfPlain({ name: /^(\w*Error)\b/.exec(stack as string)?.[1], message, stack, cause })
}

/** Takes out what the exception tells: winston copies the properties of an error into the record. */
function leaveOut(fields: Record<string, unknown>, error: Error): void {
  const own = error as unknown as Record<string, unknown>
  for (const key of Object.keys(error)) if (fields[key] === own[key]) delete fields[key]
  for (const key of ['stack', 'cause', 'errors']) if (fields[key] === own[key]) delete fields[key]
}
