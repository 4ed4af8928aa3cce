import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { retryAfterMs } from '../delivery/retry-after.ts'
import { type ExportResponse, readExportResponse } from '../logs/export-response.ts'
import { oneLine, showDuration } from './table.ts'

const compress = promisify(gzip)
const PATH = '/v1/logs'
const REQUEST_TIMEOUT_MS = 60_000
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** What the OTLP specification says is worth another try. */
const TEMPORARY = [429, 502, 503, 504]
/** What is wrong with one request, and may not be with the next. */
const ABOUT_THE_REQUEST = [400, 413]
const SHOWN = 200

/** The server will never take this request, and may take others. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
}

export interface OtlpTarget {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** Gives up when the server takes nothing for this long, milliseconds. */
  readonly patienceMs: number
  /** Told before each pause. */
  readonly waiting: (problem: string, pauseMs: number) => void
}

/** Where requests go that are sent to this endpoint: `/v1/logs` is added where it is missing. */
export function logsUrl(endpoint: string): URL {
  const url = new URL(endpoint)
  if (!url.pathname.endsWith(PATH)) url.pathname = url.pathname.replace(/\/$/, '') + PATH
  return url
}

/**
 * Sends an `ExportLogsServiceRequest` over OTLP/HTTP, again and again as long as the server says that it may take it later.
 * Throws `RefusedError` for a request that it will not take, and another error when it is no use to go on.
 */
export async function sendRequest(request: Buffer, target: OtlpTarget): Promise<ExportResponse> {
  const body = await compress(request)
  const end = performance.now() + target.patienceMs
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const answer = await post(body, target)
    if (typeof answer === 'object' && 'rejected' in answer) return answer
    const wait = Math.min(answer.afterMs ?? pause * (0.5 + Math.random() / 2), LONGEST_PAUSE_MS)
    if (performance.now() + wait > end) {
      throw new Error(`${answer.problem}, and nothing was taken for ${showDuration(target.patienceMs)}`)
    }
    target.waiting(answer.problem, wait)
    await sleep(wait)
  }
}

async function post(
  body: Buffer,
  { url, headers }: OtlpTarget,
): Promise<ExportResponse | { readonly problem: string; readonly afterMs?: number | undefined }> {
  let response: Response
  let answer: Buffer
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' },
      body: new Uint8Array(body),
      redirect: 'manual',
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    })
    answer = Buffer.from(await response.arrayBuffer())
  } catch (error) {
    return { problem: `${url.origin} cannot be reached (${codeOf(error)})` }
  }
  const { status } = response
  if (status === 200) return readExportResponse(answer)
  const problem = `${url.href} answered ${status}`
  if (TEMPORARY.includes(status))
    return { problem, afterMs: retryAfterMs(response.headers.get('retry-after')) }
  const text = oneLine(answer.toString('utf8', 0, SHOWN * 4), SHOWN)
  const full = text === '' ? problem : `${problem}: ${text}`
  if (ABOUT_THE_REQUEST.includes(status)) throw new RefusedError(full)
  throw new Error(full)
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause: unknown = error.cause ?? error
  return cause instanceof Error && 'code' in cause ? String(cause.code) : error.message
}
