import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { EXPORT } from './harness.ts'

/** HTTP/2 frame by frame (RFC 9113), for what no client library would send. */

export const Type = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7 } as const
export const Flag = { none: 0, ack: 1, endStream: 1, endHeaders: 4 } as const
export const CANCEL = Buffer.from([0, 0, 0, 8])

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const HEADER_BYTES = 9
const CALL = {
  ':method': 'POST',
  ':scheme': 'http',
  ':path': EXPORT,
  ':authority': 'a',
  'content-type': 'application/grpc',
}

export function frameOf(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUIntBE(payload.length, 0, 3)
  header[3] = type
  header[4] = flags
  header.writeUInt32BE(stream, 5)
  return Buffer.concat([header, payload])
}

/** The HEADERS frame that opens a call; `more` are headers besides the usual ones. */
export function openingOf(stream: number, more: Readonly<Record<string, string>> = {}): Buffer {
  // Each header a literal without indexing (RFC 7541, section 6.2.2), shorter than 127 bytes.
  const block = Object.entries({ ...CALL, ...more }).map(([name, value]) =>
    Buffer.concat([
      Buffer.from([0, name.length]),
      Buffer.from(name),
      Buffer.from([value.length]),
      Buffer.from(value),
    ]),
  )
  return frameOf(Type.headers, Flag.endHeaders, stream, Buffer.concat(block))
}

/** A client that says what it is told to and nothing else: it does not even acknowledge. */
export class FrameClient {
  readonly socket: Socket
  readonly closed: Promise<void>
  #received = Buffer.alloc(0)

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1')
    this.socket.on('error', () => {})
    this.socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk])
    })
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()))
    onTestFinished(() => void this.socket.destroy())
  }

  send(...frames: Buffer[]): void {
    this.socket.write(Buffer.concat(frames))
  }

  greet(): void {
    this.send(Buffer.from(PREFACE), frameOf(Type.settings, Flag.none, 0))
  }

  /** Types of the frames that have come. */
  get types(): number[] {
    const types: number[] = []
    for (let at = 0; at + HEADER_BYTES <= this.#received.length; ) {
      types.push(this.#received[at + 3])
      at += HEADER_BYTES + this.#received.readUIntBE(at, 3)
    }
    return types
  }
}
