import { connect } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Harness } from '../harness.ts'
import { jsonFailure } from './client.ts'

export interface RawAnswer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** Sends bytes as they are to the port of HTTP. Resolves with all answers once the connection has ended. */
export async function sendRaw(
  { receiver }: Harness,
  bytes: string | Buffer,
  { end = false }: { readonly end?: boolean } = {},
): Promise<RawAnswer[]> {
  const socket = connect(receiver.port('http') ?? 0, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', () => {})
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.write(bytes)
  if (end) socket.end()
  await closed
  return answersIn(Buffer.concat(chunks).toString())
}

/** The Status of an answer, which is in JSON. */
export function statusIn(answer: RawAnswer | undefined) {
  if (answer?.headers.get('content-type') !== 'application/json') throw new Error('the answer is not JSON')
  return jsonFailure(answer.body)
}

/** A request as text. */
export function post(headers: Readonly<Record<string, string>>, body = ''): string {
  const all = { host: 'a', 'content-type': 'application/json', ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  return ['POST /v1/logs HTTP/1.1', ...lines, '', body].join('\r\n')
}

function answersIn(text: string): RawAnswer[] {
  const answers: RawAnswer[] = []
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\r\n\r\n', at)
    if (end < 0) throw new Error('the headers of an answer do not end')
    const [first, ...lines] = text.slice(at, end).split('\r\n')
    const headers = new Map(
      lines.map((line): [string, string] => {
        const colon = line.indexOf(':')
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
      }),
    )
    const status = Number(first.split(' ')[1])
    const start = end + 4
    at = start + (status === 100 ? 0 : Number(headers.get('content-length')))
    answers.push({ status, headers, body: text.slice(start, at) })
  }
  return answers
}
