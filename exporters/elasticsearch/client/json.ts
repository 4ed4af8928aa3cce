import type { Client } from './client.ts'
import type { Request } from './node.ts'

export interface JsonRequest {
  readonly method: Request['method']
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  /** An object, or the lines of a bulk request. */
  readonly body?: object | string
}

export interface JsonAnswer {
  readonly status: number
  /** Empty where the answer is no JSON object. */
  readonly json: Readonly<Record<string, unknown>>
}

/** A request beside the delivery. Throws `RetryableError` when no node answers. */
export async function sendJson(
  client: Client,
  { method, path, query = {}, body }: JsonRequest,
  signal: AbortSignal,
): Promise<JsonAnswer> {
  const search = new URLSearchParams(query).toString()
  const isLines = typeof body === 'string'
  const type = { 'content-type': isLines ? 'application/x-ndjson' : 'application/json' }
  const answer = await client.send(
    {
      method,
      path: search === '' ? path : `${path}?${search}`,
      headers: { accept: 'application/json', ...(body !== undefined && type) },
      ...(body !== undefined && { body: Buffer.from(isLines ? body : JSON.stringify(body)) }),
    },
    signal,
  )
  return { status: answer.status, json: objectIn(answer.body) }
}

function objectIn(body: Buffer): JsonAnswer['json'] {
  try {
    const value: unknown = JSON.parse(body.toString())
    return typeof value === 'object' && value !== null ? (value as JsonAnswer['json']) : {}
  } catch {
    return {}
  }
}
