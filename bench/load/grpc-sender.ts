import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { readSettings } from '../../receivers/otlp/grpc/frames/client-settings.ts'
import { type FrameHandler, FrameReader } from '../../receivers/otlp/grpc/frames/frame-reader.ts'
import { FrameWriter } from '../../receivers/otlp/grpc/frames/frame-writer.ts'
import { HeaderDecoder } from '../../receivers/otlp/grpc/frames/hpack/decoder.ts'
import { encodeFields } from '../../receivers/otlp/grpc/frames/hpack/encode.ts'
import type { Field } from '../../receivers/otlp/grpc/frames/hpack/field.ts'
import {
  FIRST_WINDOW_BYTES,
  Flag,
  FRAME_HEADER_BYTES,
  FrameType,
  MAX_31_BITS,
  MAX_FRAME_BYTES,
  PREFACE,
  STREAM_AT,
} from '../../receivers/otlp/grpc/frames/protocol.ts'

/** A request that has no answer yet. */
interface Call {
  readonly body: Buffer
  readonly resolve: (accepted: boolean) => void
  readonly reject: (error: Error) => void
  stream: number
  /** Bytes that have been sent. */
  sent: number
  /** Bytes that the collector takes of it still. */
  window: number
  /** `grpc-status`, as far as it has come. */
  status: string
}

/** What every server should take at once: RFC 9113, section 6.5.2. */
const MAX_UNDER_WAY = 100

/**
 * Unary calls of prepared messages over one HTTP/2 connection. It writes frames itself: a client of a library would take
 * as much of the machine as the collector whose cost is to be seen.
 */
export class GrpcSender implements FrameHandler {
  readonly #socket: Socket
  readonly #opening: Buffer
  readonly #reader = new FrameReader(this)
  readonly #headers = new HeaderDecoder()
  /** Those that have a stream. */
  readonly #calls = new Map<number, Call>()
  /** Those that wait until they may begin, and those of which the windows keep something back. */
  #waiting: Call[] = []
  #nextStream = 1
  #window = FIRST_WINDOW_BYTES
  #initialWindow = FIRST_WINDOW_BYTES
  /** Of the frame that is being read. */
  #type = 0
  #flags = 0
  #stream = 0

  private constructor(socket: Socket, opening: Buffer) {
    this.#socket = socket
    this.#opening = opening
    // It reads what a client says; a server says the same without a preface.
    this.#reader.read(PREFACE)
    socket.on('data', (chunk: Buffer) => {
      try {
        this.#reader.read(chunk)
      } catch (error) {
        socket.destroy(error instanceof Error ? error : new Error(String(error)))
      }
    })
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the collector has closed the connection')))
  }

  static async open(
    host: string,
    port: number,
    fields: Readonly<Record<string, string>>,
  ): Promise<GrpcSender> {
    const socket = connect({ host, port, noDelay: true })
    await once(socket, 'connect')
    const sender = new GrpcSender(socket, openingOf(fields))
    const greeting = new FrameWriter()
    greeting.copy(PREFACE)
    greeting.settings([])
    // Answers are a few bytes each: never again does the window have to be thought of.
    greeting.windowUpdate(0, MAX_31_BITS - FIRST_WINDOW_BYTES)
    socket.write(greeting.take())
    return sender
  }

  /** Whether the request, with the five bytes that go before a message, was accepted. Rejects when the connection breaks. */
  send(body: Buffer): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ body, resolve, reject, stream: 0, sent: 0, window: 0, status: '' })
      this.#proceed()
    })
  }

  async close(): Promise<void> {
    this.#socket.end()
    if (!this.#socket.closed) await once(this.#socket, 'close')
  }

  readonly over = false

  begin(type: number, flags: number, stream: number): boolean {
    this.#type = type
    this.#flags = flags
    this.#stream = stream
    return type !== FrameType.data
  }

  data(): void {}

  dataEnd(): void {
    if ((this.#flags & Flag.endStream) !== 0) this.#answered()
  }

  frame(bytes: Buffer, start: number, end: number): void {
    switch (this.#type) {
      case FrameType.headers:
        return this.#block(bytes, start, end)
      case FrameType.resetStream:
        return this.#end(this.#stream)?.resolve(false)
      case FrameType.settings:
        return this.#settings(bytes, start, end)
      case FrameType.ping:
        return this.#ping(bytes, start)
      case FrameType.goaway:
        throw new Error(`the collector ends the connection, code ${bytes.readUInt32BE(start + 4)}`)
      case FrameType.windowUpdate:
        return this.#enlarge(bytes.readUInt32BE(start))
      case FrameType.continuation:
        throw new Error('a header block of the collector takes more than one frame')
    }
  }

  #block(bytes: Buffer, start: number, end: number): void {
    const call = this.#calls.get(this.#stream)
    this.#headers.decode(bytes, start, end, (field: Field) => {
      if (call !== undefined && field.name === 'grpc-status') call.status = field.value
    })
    if ((this.#flags & Flag.endStream) !== 0) this.#answered()
  }

  #answered(): void {
    const call = this.#end(this.#stream)
    call?.resolve(call.status === '0')
  }

  #end(stream: number): Call | undefined {
    const call = this.#calls.get(stream)
    this.#calls.delete(stream)
    if (this.#waiting.length > 0) {
      this.#waiting = this.#waiting.filter((one) => one !== call)
      this.#proceed()
    }
    return call
  }

  #settings(bytes: Buffer, start: number, end: number): void {
    if ((this.#flags & Flag.ack) !== 0) return
    const { initialWindow = this.#initialWindow } = readSettings(bytes, start, end)
    for (const call of this.#calls.values()) call.window += initialWindow - this.#initialWindow
    this.#initialWindow = initialWindow
    this.#control((writer) => writer.acknowledgeSettings())
    this.#proceed()
  }

  #ping(bytes: Buffer, start: number): void {
    if ((this.#flags & Flag.ack) === 0) this.#control((writer) => writer.ping(Flag.ack, bytes, start))
  }

  #enlarge(increment: number): void {
    const call = this.#calls.get(this.#stream)
    if (this.#stream === 0) this.#window += increment
    else if (call !== undefined) call.window += increment
    this.#proceed()
  }

  #control(write: (writer: FrameWriter) => void): void {
    const writer = new FrameWriter()
    write(writer)
    this.#write(writer.take())
  }

  /** Sends what may be sent, in the order in which it was asked for. */
  #proceed(): void {
    const waiting = this.#waiting
    let kept = 0
    for (const call of waiting) if (!this.#advance(call)) waiting[kept++] = call
    waiting.length = kept
  }

  /** Whether all of it is on its way. */
  #advance(call: Call): boolean {
    const { body } = call
    if (call.stream === 0) {
      if (this.#calls.size >= MAX_UNDER_WAY) return false
      call.stream = this.#nextStream
      call.window = this.#initialWindow
      this.#nextStream += 2
      this.#calls.set(call.stream, call)
      const opening = Buffer.from(this.#opening)
      opening.writeUInt32BE(call.stream, STREAM_AT)
      this.#write(opening)
    }
    while (call.sent < body.length) {
      const size = Math.min(MAX_FRAME_BYTES, call.window, this.#window, body.length - call.sent)
      if (size <= 0) return false
      const end = call.sent + size
      this.#write(dataHeader(call.stream, size, end === body.length))
      this.#write(body.subarray(call.sent, end))
      call.sent = end
      call.window -= size
      this.#window -= size
    }
    return true
  }

  /** All of one turn goes to the system at once. */
  #write(bytes: Buffer): void {
    if (this.#socket.writableCorked === 0) {
      this.#socket.cork()
      process.nextTick(() => this.#socket.uncork())
    }
    this.#socket.write(bytes)
  }

  #fail(error: Error): void {
    const unanswered = new Set([...this.#calls.values(), ...this.#waiting])
    this.#calls.clear()
    this.#waiting = []
    for (const call of unanswered) call.reject(error)
  }
}

/** The HEADERS that open a call. */
function openingOf(fields: Readonly<Record<string, string>>): Buffer {
  const writer = new FrameWriter()
  writer.headers(0, encodeFields(fields), Flag.none)
  return writer.take()
}

function dataHeader(stream: number, size: number, last: boolean): Buffer {
  const header = Buffer.allocUnsafe(FRAME_HEADER_BYTES)
  header.writeUIntBE(size, 0, 3)
  header[3] = FrameType.data
  header[4] = last ? Flag.endStream : Flag.none
  header.writeUInt32BE(stream, STREAM_AT)
  return header
}
