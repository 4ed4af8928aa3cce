import { Flag, FRAME_HEADER_BYTES, FrameType, MAX_FRAME_BYTES } from './protocol.ts'

const FIRST_BYTES = 512
const PING_BYTES = 8
const SETTING_BYTES = 6

/** Puts frames one behind the other, until somebody takes them: RFC 9113, sections 4.1 and 6. */
export class FrameWriter {
  #bytes: Buffer = Buffer.alloc(0)
  #length = 0

  /** How many bytes there are. */
  get length(): number {
    return this.#length
  }

  /** What has been written since the last time. Nothing is kept: most connections are silent most of the time. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length)
    this.#bytes = Buffer.alloc(0)
    this.#length = 0
    return taken
  }

  /** Frames that were made ready. */
  copy(frames: Buffer): void {
    this.#room(frames.length)
    this.#length += frames.copy(this.#bytes, this.#length)
  }

  /** Frames that were made ready for another stream, whose number is at `places`. */
  copyFor(stream: number, frames: Buffer, places: readonly number[]): void {
    const start = this.#length
    this.copy(frames)
    for (const place of places) this.#bytes.writeUInt32BE(stream, start + place)
  }

  /** A block that does not fit one frame goes on in others, with nothing in between: section 6.10. */
  headers(stream: number, block: Buffer, flags: number): void {
    let type: number = FrameType.headers
    let at = 0
    do {
      const end = Math.min(block.length, at + MAX_FRAME_BYTES)
      const last = end === block.length ? Flag.endHeaders : Flag.none
      this.#header(type, (type === FrameType.headers ? flags : Flag.none) | last, stream, end - at)
      this.#length += block.copy(this.#bytes, this.#length, at, end)
      type = FrameType.continuation
      at = end
    } while (at < block.length)
  }

  /** Of `message` what lies between `start` and `end`, no more than a frame may hold. */
  data(stream: number, message: Buffer, start: number, end: number): void {
    this.#header(FrameType.data, Flag.none, stream, end - start)
    this.#length += message.copy(this.#bytes, this.#length, start, end)
  }

  resetStream(stream: number, code: number): void {
    this.#header(FrameType.resetStream, Flag.none, stream, 4)
    this.#uint32(code)
  }

  settings(settings: readonly (readonly [setting: number, value: number])[]): void {
    this.#header(FrameType.settings, Flag.none, 0, settings.length * SETTING_BYTES)
    for (const [setting, value] of settings) {
      this.#length = this.#bytes.writeUInt16BE(setting, this.#length)
      this.#uint32(value)
    }
  }

  acknowledgeSettings(): void {
    this.#header(FrameType.settings, Flag.ack, 0, 0)
  }

  /** Eight bytes of `payload`, from `start` on. */
  ping(flags: number, payload: Buffer, start: number): void {
    this.#header(FrameType.ping, flags, 0, PING_BYTES)
    this.#length += payload.copy(this.#bytes, this.#length, start, start + PING_BYTES)
  }

  goaway(lastStream: number, code: number, said: string): void {
    const debug = Buffer.from(said, 'latin1')
    this.#header(FrameType.goaway, Flag.none, 0, 8 + debug.length)
    this.#uint32(lastStream)
    this.#uint32(code)
    this.#length += debug.copy(this.#bytes, this.#length)
  }

  windowUpdate(stream: number, increment: number): void {
    this.#header(FrameType.windowUpdate, Flag.none, stream, 4)
    this.#uint32(increment)
  }

  #header(type: number, flags: number, stream: number, length: number): void {
    this.#room(FRAME_HEADER_BYTES + length)
    const at = this.#bytes.writeUIntBE(length, this.#length, 3)
    this.#bytes[at] = type
    this.#bytes[at + 1] = flags
    this.#length = this.#bytes.writeUInt32BE(stream, at + 2)
  }

  #uint32(value: number): void {
    this.#length = this.#bytes.writeUInt32BE(value, this.#length)
  }

  #room(bytes: number): void {
    const needed = this.#length + bytes
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(FIRST_BYTES, needed, this.#bytes.length * 2))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}
