import { STATUS_CODES } from 'node:http'
import type { Failure, Outcome } from '../outcome.ts'
import { encodeStatus, encodeSuccess, statusJson, successJson } from '../status.ts'

export const PROTOBUF = 'application/x-protobuf'
export const JSON_TYPE = 'application/json'

/** An answer over HTTP. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | string
}

/** Answers in the encoding of the request; in JSON where that is neither of the two. */
export function httpAnswer(outcome: Outcome, type: string): HttpAnswer {
  const body = type === PROTOBUF ? protobuf(outcome) : json(outcome)
  const headers = {
    'content-type': type === PROTOBUF ? PROTOBUF : JSON_TYPE,
    'content-length': String(Buffer.byteLength(body)),
  }
  return outcome.ok
    ? { status: 200, headers, body }
    : { status: outcome.http, headers: { ...headers, ...outcome.headers }, body }
}

/** The last answer on a connection, for where there is no request that Node would write one for. */
export function lastAnswer(failure: Failure, more: Readonly<Record<string, string>>): string {
  const { status, headers, body } = httpAnswer(failure, JSON_TYPE)
  const lines = Object.entries({ ...more, ...headers, connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}`,
  )
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n')
}

function protobuf(outcome: Outcome): Buffer {
  return outcome.ok ? encodeSuccess(outcome) : encodeStatus(outcome)
}

function json(outcome: Outcome): string {
  return outcome.ok ? successJson(outcome) : statusJson(outcome)
}
