import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type FrameHandler, FrameReader } from '../../../../receivers/otlp/grpc/frames/frame-reader.ts'
import { PREFACE } from '../../../../receivers/otlp/grpc/frames/protocol.ts'
import { cut, Flag, frameOf, Type } from '../frames.ts'

interface Seen {
  readonly type: number
  readonly flags: number
  readonly stream: number
  payload: string
}

/** Notes all that it is told, content put together. */
class Notes implements FrameHandler {
  readonly over = false
  readonly seen: Seen[] = []
  ended = 0

  begin(type: number, flags: number, stream: number): boolean {
    this.seen.push({ type, flags, stream, payload: '' })
    return true
  }

  data(piece: Buffer): void {
    if (piece.length === 0) throw new Error('a piece of nothing')
    this.#last.payload += piece.toString('hex')
  }

  dataEnd(): void {
    this.ended++
  }

  frame(bytes: Buffer, start: number, end: number): void {
    this.#last.payload = bytes.toString('hex', start, end)
  }

  get #last(): Seen {
    return this.seen[this.seen.length - 1]
  }
}

const content = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))
const anyFrame = fc
  .record({
    type: fc.constantFrom(...Object.values(Type)),
    stream: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    content,
    padding: fc.option(fc.nat(255), { nil: undefined }),
  })
  .map(({ type, stream, content, padding }) => {
    const padded = type === Type.data && padding !== undefined
    const flags = padded ? Flag.padded : Flag.none
    const payload = padded
      ? Buffer.concat([Buffer.from([padding]), content, Buffer.alloc(padding, 0xff)])
      : content
    return {
      sent: frameOf(type, flags, stream, payload),
      seen: { type, flags, stream, payload: content.toString('hex') },
    }
  })

describe('frames', () => {
  it('are the same wherever what comes is cut', () => {
    fc.assert(
      fc.property(
        fc.array(anyFrame, { maxLength: 20 }),
        fc.array(fc.nat(), { maxLength: 60 }),
        (frames, places) => {
          const notes = new Notes()
          const reader = new FrameReader(notes)
          const all = Buffer.concat([PREFACE, ...frames.map(({ sent }) => sent)])
          for (const piece of cut(all, places)) {
            reader.read(piece)
            // Nobody may count on memory that has been read.
            piece.fill(0xee)
          }
          expect(notes.seen).toEqual(frames.map(({ seen }) => seen))
          expect(notes.ended).toBe(frames.filter(({ seen }) => seen.type === Type.data).length)
          expect(reader.within).toBe(false)
          expect(reader.frames).toBe(frames.length)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('are not read on after a handler has had enough', () => {
    const notes = new Notes()
    const once = Object.create(notes, { over: { get: () => notes.seen.length > 0 } }) as FrameHandler
    const ping = frameOf(Type.ping, Flag.none, 0, Buffer.alloc(8))
    new FrameReader(once).read(Buffer.concat([PREFACE, ping, ping]))
    expect(notes.seen).toHaveLength(1)
  })

  it('keep no more memory than what has come of them', () => {
    const reader = new FrameReader(new Notes())
    reader.read(PREFACE)
    const begin = frameOf(Type.settings, Flag.none, 0, Buffer.alloc(16_000)).subarray(0, 20)
    const before = process.memoryUsage().arrayBuffers
    reader.read(begin)
    expect(reader.within).toBe(true)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8_000)
  })
})
