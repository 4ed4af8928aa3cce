import { connect, type Socket } from 'node:net'
import { onTestFinished, vi } from 'vitest'
import { EXPORT } from './harness.ts'

/** HTTP/2 frame by frame (RFC 9113), for what no client library would send. */

export const Type = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const
export const Flag = { none: 0, ack: 1, endStream: 1, endHeaders: 4, padded: 8, priority: 0x20 } as const
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

/** A number of four bytes. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** A SETTINGS frame. */
export function settingsOf(...settings: readonly (readonly [setting: number, value: number])[]): Buffer {
  const payload = settings.map(([setting, value]) =>
    Buffer.concat([Buffer.from([setting >> 8, setting & 0xff]), uint32(value)]),
  )
  return frameOf(Type.settings, Flag.none, 0, Buffer.concat(payload))
}

/** Bytes in pieces, cut at the given places. */
export function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return ends.map((end, index) => Buffer.from(bytes.subarray(index === 0 ? 0 : ends[index - 1], end)))
}

/** A header block in which each field is a literal without indexing (RFC 7541, section 6.2.2), shorter than 127 bytes. */
export function blockOf(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [
      Buffer.from([0, name.length]),
      Buffer.from(name, 'latin1'),
      Buffer.from([value.length]),
      Buffer.from(value, 'latin1'),
    ]),
  )
}

/** The header block that opens a call; `more` are headers besides the usual ones. */
export function callBlock(more: Readonly<Record<string, string>> = {}): Buffer {
  return blockOf(Object.entries({ ...CALL, ...more }))
}

/** The HEADERS frame that opens a call. */
export function openingOf(stream: number, more: Readonly<Record<string, string>> = {}): Buffer {
  return frameOf(Type.headers, Flag.endHeaders, stream, callBlock(more))
}

export interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

/** A client that says what it is told to and nothing else: it does not even acknowledge. */
export class FrameClient {
  readonly socket: Socket
  readonly closed: Promise<void>
  #chunks: Buffer[] = []
  #pings = 0

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1')
    this.socket.on('error', () => {})
    this.socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
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

  /** The frames that have come. */
  get frames(): Frame[] {
    const received = Buffer.concat(this.#chunks)
    this.#chunks = [received]
    const frames: Frame[] = []
    for (let at = 0; at + HEADER_BYTES <= received.length; ) {
      const end = at + HEADER_BYTES + received.readUIntBE(at, 3)
      if (end > received.length) break
      const [type, flags] = received.subarray(at + 3)
      const stream = received.readUInt32BE(at + 5)
      frames.push({ type, flags, stream, payload: received.subarray(at + HEADER_BYTES, end) })
      at = end
    }
    return frames
  }

  /** Types of the frames that have come. */
  get types(): number[] {
    return this.frames.map(({ type }) => type)
  }

  /** The first frame that is meant, once it has come. */
  async frame(isMeant: (frame: Frame) => boolean): Promise<Frame> {
    return await vi.waitUntil(() => this.frames.find(isMeant), { interval: 5, timeout: 5000 })
  }

  /** Resolves when all that was sent has been looked at. */
  async roundTrip(): Promise<void> {
    const payload = Buffer.alloc(8)
    payload.writeUInt32BE(++this.#pings)
    this.send(frameOf(Type.ping, Flag.none, 0, payload))
    await this.frame((frame) => frame.type === Type.ping && frame.payload.equals(payload))
  }

  /** The code of the GOAWAY that ends the connection. */
  async goaway(): Promise<number> {
    await this.closed
    return this.frames.findLast(({ type }) => type === Type.goaway)?.payload.readUInt32BE(4) ?? -1
  }

  /** The code with which a stream is reset. */
  async reset(stream: number): Promise<number> {
    const frame = await this.frame((one) => one.type === Type.reset && one.stream === stream)
    return frame.payload.readUInt32BE(0)
  }
}
