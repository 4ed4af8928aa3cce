import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2'
import { MessageSplitter } from '../../../../receivers/otlp/grpc/services/message-splitter.ts'
import { frame, type Harness, rawCall } from '../harness.ts'

/** A call whose messages are read one by one. */
export interface Conversation {
  /** Sends a message, compressed if it says so. */
  say(message: Uint8Array, compressed?: 0 | 1): void
  /** Says that no more will come. */
  end(): void
  /** The next message. */
  next(): Promise<Buffer>
  /** Headers and trailers, once the call is over. */
  readonly over: Promise<IncomingHttpHeaders>
}

export function converse(
  { receiver }: Harness,
  path: string,
  headers: OutgoingHttpHeaders = {},
): Conversation {
  const { stream, answer } = rawCall(receiver.port('grpc') ?? 0, { ':path': path, ...headers })
  const splitter = new MessageSplitter()
  const came: Buffer[] = []
  let wake = (): void => {}
  stream.on('data', (chunk: Buffer) => {
    came.push(...splitter.add(chunk).map(({ bytes }) => bytes))
    wake()
  })
  return {
    say: (message, compressed) => void stream.write(frame(message, compressed)),
    end: () => void stream.end(),
    async next() {
      if (came.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return came.shift() as Buffer
    },
    over: answer,
  }
}
