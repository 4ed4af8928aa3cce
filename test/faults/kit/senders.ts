import { status } from '@grpc/grpc-js'
import { GrpcClient } from '../../e2e/grpc-client.ts'

const HTTP_TIMEOUT = 10_000

/** What came of one attempt: `ok`, or the refusal in a few words, with the hint for the sender where there was one. */
export type Answer = string

export const ACKNOWLEDGED: Answer = 'ok'

/** Where a request goes. */
export interface Sender extends Disposable {
  /** One attempt; never throws. */
  send(bytes: Buffer): Promise<Answer>
}

/** Refusals that a client may meet while something is broken; any other is a defect. */
const EXPECTED = /^(UNAVAILABLE|DEADLINE_EXCEEDED|CANCELLED|503|429|no answer)/

/** Whether a sender is to come back after this answer. */
export const isRetryable = (answer: Answer): boolean => EXPECTED.test(answer)

export function grpcSender(port: number): Sender {
  const client = new GrpcClient(port)
  return {
    async send(bytes) {
      const error = await client.refusal(bytes)
      if (error === undefined) return ACKNOWLEDGED
      const [details] = error.metadata?.get('grpc-status-details-bin') ?? []
      const hint = Buffer.from(details ?? '').includes('google.rpc.RetryInfo') ? ' with RetryInfo' : ''
      return `${status[error.code]}${hint}`
    },
    [Symbol.dispose]: () => client[Symbol.dispose](),
  }
}

export function httpSender(port: number): Sender {
  return {
    async send(bytes) {
      try {
        const response = await fetch(`http://127.0.0.1:${port}/v1/logs`, {
          method: 'POST',
          headers: { 'content-type': 'application/x-protobuf' },
          body: new Uint8Array(bytes),
          signal: AbortSignal.timeout(HTTP_TIMEOUT),
        })
        await response.arrayBuffer()
        if (response.status === 200) return ACKNOWLEDGED
        return `${response.status}${response.headers.has('retry-after') ? ' with Retry-After' : ''}`
      } catch {
        return 'no answer'
      }
    },
    [Symbol.dispose]() {},
  }
}
