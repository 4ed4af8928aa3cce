import { ErrorCode } from './protocol.ts'

/** What ends a connection: RFC 9113, section 5.4.1. The message goes with GOAWAY, for whoever debugs the client. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  /** One of `ErrorCode`. */
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

export function protocolError(message: string): ConnectionError {
  return new ConnectionError(ErrorCode.protocolError, message)
}
