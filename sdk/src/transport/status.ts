import { readFields } from './wire-reader.ts'

/** Field numbers of https://github.com/googleapis/googleapis/blob/master/google/rpc/status.proto and error_details.proto. */
const STATUS_MESSAGE = 2
const STATUS_DETAILS = 3
const ANY_TYPE_URL = 1
const ANY_VALUE = 2
const RETRY_DELAY = 1
const DURATION_SECONDS = 1
const DURATION_NANOS = 2

const RETRY_INFO = 'google.rpc.RetryInfo'

/** A `google.rpc.Status`, as far as it matters here. */
export interface Status {
  readonly message: string
  /** Of its `RetryInfo`, milliseconds; undefined without one. */
  readonly retryMillis: number | undefined
}

/** Reads a `google.rpc.Status`. One that cannot be read says nothing. */
export function readStatus(bytes: Buffer): Status {
  try {
    let message = ''
    let retryMillis: number | undefined
    for (const { id, bytes: value } of readFields(bytes)) {
      if (id === STATUS_MESSAGE) message = value.toString()
      else if (id === STATUS_DETAILS) retryMillis = readDetail(value) ?? retryMillis
    }
    return { message, retryMillis }
  } catch {
    return { message: '', retryMillis: undefined }
  }
}

function readDetail(any: Buffer): number | undefined {
  const fields = readFields(any)
  const type = fields.find(({ id }) => id === ANY_TYPE_URL)?.bytes.toString()
  const value = fields.find(({ id }) => id === ANY_VALUE)?.bytes
  if (!type?.endsWith(`/${RETRY_INFO}`)) return undefined
  // A RetryInfo without a delay is one of 0 s.
  const delay = value && readFields(value).find(({ id }) => id === RETRY_DELAY)?.bytes
  let millis = 0
  for (const { id, number } of delay ? readFields(delay) : []) {
    if (id === DURATION_SECONDS) millis += number * 1000
    else if (id === DURATION_NANOS) millis += Math.ceil(number / 1_000_000)
  }
  return millis
}

/** The same in JSON, for servers that answer in it whatever they are sent. */
export function readJsonStatus(text: string): Status {
  try {
    const { message, details } = JSON.parse(text) as { message?: unknown; details?: unknown }
    const delays = (Array.isArray(details) ? (details as Readonly<Record<string, unknown>>[]) : [])
      .filter((detail) => String(detail['@type']).endsWith(`/${RETRY_INFO}`))
      .map(({ retryDelay }) => (typeof retryDelay === 'string' ? Number.parseFloat(retryDelay) * 1000 : 0))
    return {
      message: typeof message === 'string' ? message : '',
      retryMillis: Number.isFinite(delays[0]) ? delays[0] : undefined,
    }
  } catch {
    return { message: '', retryMillis: undefined }
  }
}
