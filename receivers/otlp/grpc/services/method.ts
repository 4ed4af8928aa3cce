import type { Failure } from '../../outcome.ts'

/** What a service may do with a call. */
export interface Answering {
  send(message: Buffer): void
  /** Ends the call: well, or with a failure. */
  end(failure?: Failure): void
}

/** What a service makes of a call. Nothing is told to it after `closed`. */
export interface Conversation {
  /** @throws MalformedError when the message is not what the method takes */
  message(bytes: Buffer): void
  /** The client has sent all it has. */
  end(): void
  /** The call is over, whoever ended it. */
  closed(): void
}

/** A method of any kind: a unary one takes one message, sends one and ends. */
export type Method = (answering: Answering) => Conversation

/** By path, as in `/grpc.health.v1.Health/Check`. */
export type Methods = ReadonlyMap<string, Method>

/** A method that answers each message with another one, until the client has no more. */
export function replying(reply: (message: Buffer) => Buffer): Method {
  return (answering) => ({
    message: (bytes) => answering.send(reply(bytes)),
    end: () => answering.end(),
    closed: () => {},
  })
}
