import { isError } from '../record/error.ts'
import { THROWS } from '../record/markers.ts'
import { read, readText } from '../record/read.ts'
import { format, textOf } from './format.ts'

/** What a log call says. */
export interface Call {
  body: unknown
  fields: object | undefined
  error: Error | undefined
}

/**
 * Reads the arguments of a log call: a message; or fields or an error, and a message; either of them may be a function
 * that makes it. What no placeholder of the message takes is not lost: an error becomes `exception.*`, an object more
 * fields, anything else stands after the message.
 *
 * @param json Writes an object for a message; must not throw.
 */
export function readCall(first: unknown, rest: readonly unknown[], json: (value: unknown) => string): Call {
  const call: Call = { body: undefined, fields: undefined, error: undefined }
  const subject = typeof first === 'function' ? made(first, call) : first
  const isSubject = typeof subject === 'object' || subject === undefined
  if (isSubject && subject !== null && subject !== undefined) readSubject(subject, call, rest.length > 0)
  const args = isSubject ? rest.slice(1) : rest
  const message = isSubject ? rest[0] : subject
  if (message !== undefined) readMessage(message, args, call, json)
  if (call.body === undefined) call.body = messageOf(call)
  return call
}

/** What a function makes that was given in place of a value. */
function made(make: Function, call: Call): unknown {
  try {
    return make()
  } catch (error) {
    if (isError(error)) call.error = error
    return THROWS
  }
}

function readSubject(subject: object, call: Call, hasMessage: boolean): void {
  if (isError(subject)) {
    call.error = subject
    return
  }
  const fields = fieldsOf(subject)
  if (fields !== undefined) call.fields = fields
  else if (hasMessage) call.fields = { value: subject }
  else call.body = subject
}

/** The object whose properties are the fields; undefined for a value that has none: a date, a text in an object. */
function fieldsOf(subject: object): object | undefined {
  const prototype: unknown = Object.getPrototypeOf(subject)
  if (prototype === Object.prototype || prototype === null || Array.isArray(subject)) return subject
  if (subject instanceof Map) return Object.fromEntries(subject)
  if (ArrayBuffer.isView(subject) || subject instanceof Set || subject instanceof RegExp) return undefined
  const toJson: unknown = (subject as { toJSON?: unknown }).toJSON
  if (typeof toJson !== 'function') return subject
  const json: unknown = toJson.call(subject, '')
  return typeof json === 'object' && json !== null ? json : undefined
}

function readMessage(
  message: unknown,
  args: readonly unknown[],
  call: Call,
  json: (value: unknown) => string,
): void {
  const told = typeof message === 'function' ? made(message, call) : message
  if (typeof told !== 'string') {
    // An error and then its fields: the error has a message.
    if (call.error === undefined || !isObject(told) || !addFields(told, call)) call.body = told
    addRest(args, call, json)
  } else if (args.length === 0) {
    call.body = told
  } else {
    const { text, used } = format(told, args, json)
    call.body = text
    if (used < args.length) addRest(args.slice(used), call, json)
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function addRest(args: readonly unknown[], call: Call, json: (value: unknown) => string): void {
  for (const value of args) {
    if (isError(value) && call.error === undefined) call.error = value
    else if (value !== undefined && !(isObject(value) && !isError(value) && addFields(value, call))) {
      call.body = `${textOf(call.body ?? '', json)} ${textOf(value, json)}`
    }
  }
}

/** Those that are there already win. False where the subject has none. */
function addFields(subject: object, call: Call): boolean {
  try {
    const fields = fieldsOf(subject)
    if (fields !== undefined) call.fields = { ...fields, ...call.fields }
    return fields !== undefined
  } catch {
    return false
  }
}

/** Of a call without a message: the `msg` of its fields, or the message of its error, as in pino. */
function messageOf(call: Call): unknown {
  if (call.error !== undefined) return readText(call.error, 'message')
  if (call.fields === undefined) return undefined
  const own = read(call.fields, 'msg')
  if (typeof own === 'string') {
    const { msg: _, ...others } = call.fields as { msg?: unknown }
    call.fields = others
    return own
  }
  const error = read(call.fields, 'err')
  return isError(error) ? readText(error, 'message') : undefined
}
