import type { PeerCertificate } from 'node:tls'

/** Header fields of an answer; values are characters of one byte. */
export type Fields = Readonly<Record<string, string | number>>

/** Whoever reads what the client of a stream sends. */
export interface StreamReader {
  /** The memory of `chunk` may be freed when this returns, where the stream says so. */
  data(chunk: Buffer): void
  /** The client has sent all it has. Not called where the stream is reset before that. */
  end(): void
  /** The stream is over, whoever ended it. Called once, and nothing after it. */
  closed(): void
}

/** The HTTP/2 stream of one call, which has its headers, whoever speaks HTTP/2. */
export interface CallStream {
  /** Whether what has to be kept of the data must be copied. */
  readonly copies: boolean
  /** Whether it was over before it was answered, by its client or with its connection. */
  readonly aborted: boolean
  /** Whether nothing can be sent on it any more. */
  readonly closed: boolean
  /** Whether an answer has begun. */
  readonly answered: boolean
  /** What the client showed. */
  certificate(): PeerCertificate | undefined
  /** Called once, at first. */
  open(reader: StreamReader): void
  /** Lets data come, which flow control holds back until then. Called once. */
  read(): void
  /** Begins an answer with messages. */
  respond(): void
  /** A message with its prefix. */
  write(message: Buffer): void
  /** Ends an answer that has begun. */
  end(trailers: Fields): void
  /** The whole answer of a call that succeeded, with one message. */
  succeed(message: Buffer): void
  /** The whole answer without a message. What is still to come of the call is not taken. */
  refuse(fields: Fields): void
  /** Gives up an answer that has begun. */
  cancel(): void
}
