import type { Socket } from 'node:net'
import { type PeerCertificate, TLSSocket } from 'node:tls'
import { memory } from '../../../../src/memory.ts'
import type { GrpcSettings } from '../../config.ts'
import { Connection, type Served, type Session } from '../connection.ts'
import { CONNECTION_WINDOW_BYTES, MAX_HEADER_BYTES, STREAM_WINDOW_BYTES } from '../serve-connections.ts'
import { ConnectionError } from './connection-error.ts'
import type { Receiving } from './control-frames.ts'
import { FRAMES_PER_CALL, frameBudget } from './frame-budget.ts'
import { FrameReader } from './frame-reader.ts'
import { FrameWriter } from './frame-writer.ts'
import { Incoming } from './incoming.ts'
import { ErrorCode, FIRST_WINDOW_BYTES, Flag, MAX_31_BITS, Setting } from './protocol.ts'
import { Sending } from './sending.ts'
import { Streams } from './streams.ts'
import type { Turn } from './turn.ts'

/** How long a client may take to hang up once it has been told to. */
const LINGER_MS = 1000
/** How long the notice of an end may take to a client and back. */
const NOTICE_MS = 1000
/** What our pings say: is anybody there, and has the notice come. */
const ALIVE: Buffer = Buffer.from('sluice-a')
const NOTICE: Buffer = Buffer.from('sluice-n')

/** One connection that speaks HTTP/2: RFC 9113. */
export class FrameSession implements Session, Receiving {
  readonly connection: Connection
  readonly #socket: Socket
  readonly #readTimeoutMs: number
  readonly #turn: Turn
  readonly #writer = new FrameWriter()
  readonly #streams: Streams
  readonly #incoming: Incoming
  readonly #reader: FrameReader
  readonly #budget = frameBudget()
  readonly #served: Served
  #scheduled = false
  #over = false
  #alive: (() => void) | undefined
  /** When the client was told that there will be an end. */
  #noticed: number | undefined
  /** Whether it was told which call is the last. */
  #leaving = false
  /** The frame that does not come to its end, and since when. */
  #stuckFrame = -1
  #stuckSince = 0

  constructor(socket: Socket, settings: GrpcSettings, served: Served, turn: Turn) {
    this.#socket = socket
    this.#readTimeoutMs = settings.read_timeout
    this.#served = served
    this.#turn = turn
    this.connection = new Connection(this, settings, served)
    this.#streams = new Streams({
      sending: new Sending(this.#writer, {
        changed: () => this.#changed(),
        tooMuch: () => this.connection.calmDown('flood', 'answers_not_read'),
      }),
      connection: this.connection,
      counts: served.calls.counts,
      most: settings.max_concurrent_streams,
      certificate: () => this.#certificate(),
      charge: () => this.charge(),
      closed: (answered) => this.#streamClosed(answered),
    })
    this.#incoming = new Incoming(this, this.#streams, MAX_HEADER_BYTES)
    this.#reader = new FrameReader(this.#incoming)
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('drain', () => socket.resume())
    socket.on('end', () => this.#lose())
    socket.on('close', () => this.#lose())
    this.#writer.settings([
      [Setting.maxConcurrentStreams, settings.max_concurrent_streams],
      [Setting.initialWindowSize, STREAM_WINDOW_BYTES],
      [Setting.maxHeaderListSize, MAX_HEADER_BYTES],
    ])
    this.#writer.windowUpdate(0, CONNECTION_WINDOW_BYTES - FIRST_WINDOW_BYTES)
    this.#changed()
  }

  get destroyed(): boolean {
    return this.#over
  }

  get over(): boolean {
    return this.#over
  }

  /** Writes what there is to write, and reads on only where the client reads as well. */
  flush(): void {
    this.#scheduled = false
    if (this.#writer.length === 0 || !this.#socket.writable) return
    const takesMore = this.#socket.write(this.#writer.take())
    if (!takesMore && !this.#over) this.#socket.pause()
  }

  greet(): void {
    this.connection.greet()
  }

  settled(): void {
    this.#writer.acknowledgeSettings()
    this.#changed()
  }

  pinged(bytes: Buffer, start: number): void {
    this.#writer.ping(Flag.ack, bytes, start)
    this.#changed()
    this.connection.judgePing()
  }

  answered(bytes: Buffer, start: number): void {
    if (this.#alive !== undefined && isSame(ALIVE, bytes, start)) {
      const alive = this.#alive
      this.#alive = undefined
      alive()
    } else if (this.#noticed !== undefined && isSame(NOTICE, bytes, start)) this.left()
    else this.charge()
  }

  charge(): void {
    if (!this.#budget.spend(performance.now())) this.connection.calmDown('flood', 'too_many_frames')
  }

  ping(answered: () => void): void {
    this.#alive = answered
    this.#writer.ping(Flag.none, ALIVE, 0)
    this.#changed()
  }

  /**
   * First a notice, by which the client opens no more streams; the number of the last when it is known to have that, so
   * that no call is lost which crossed with it: RFC 9113, section 6.8.
   */
  end(): void {
    if (this.#leaving) return
    this.#noticed = performance.now()
    this.#writer.goaway(MAX_31_BITS, ErrorCode.noError, '')
    this.#writer.ping(Flag.none, NOTICE, 0)
    this.#changed()
  }

  /** Takes no more streams, and closes when those that are open have come to their end. */
  left(): void {
    if (this.#leaving || this.#over) return
    this.#leaving = true
    this.#streams.refuseMore()
    if (this.#streams.size === 0) {
      this.#fail(ErrorCode.noError, '')
      return
    }
    this.#writer.goaway(this.#streams.last, ErrorCode.noError, '')
    this.#changed()
  }

  destroy(): void {
    if (this.#over) return
    this.#over = true
    this.#streams.cancelAll()
    this.#hangUp(ErrorCode.noError, '')
  }

  calmDown(said: string): void {
    this.#fail(ErrorCode.enhanceYourCalm, said)
  }

  checkTime(now: number): void {
    if (this.#over) return
    if (this.#noticed !== undefined && now - this.#noticed >= NOTICE_MS) this.left()
    if (this.#isStuck(now)) this.destroy()
  }

  #read(chunk: Buffer): void {
    if (this.#over) return
    try {
      this.#reader.read(chunk)
    } catch (error) {
      if (error instanceof ConnectionError) this.#reject(error)
      else this.#failUnplanned(error)
    }
    // Nobody has a part of it any more. So much comes that the collector would not find it in time.
    memory.discard(chunk)
  }

  #reject({ code, message }: ConnectionError): void {
    this.#served.connections.reject(code === ErrorCode.enhanceYourCalm ? 'flood' : 'protocol')
    this.#fail(code, message)
  }

  /** A bug costs a connection, not the process. */
  #failUnplanned(error: unknown): void {
    this.#served.calls.intake.outcomeOf(error, 0)
    this.#fail(ErrorCode.internalError, '')
  }

  #fail(code: number, said: string): void {
    if (this.#over) return
    this.#over = true
    this.#hangUp(code, said)
  }

  /** What is written goes out; what comes is not looked at, but read, or the client might not see what went out. */
  #hangUp(code: number, said: string): void {
    this.#writer.goaway(this.#streams.last, code, said)
    this.flush()
    this.#streams.loseAll()
    this.#socket.end()
    this.#socket.resume()
    setTimeout(() => this.#socket.destroy(), LINGER_MS).unref()
  }

  /** The client is gone. */
  #lose(): void {
    this.#over = true
    this.#streams.loseAll()
    this.#socket.destroy()
  }

  #streamClosed(answered: boolean): void {
    if (answered) this.#budget.earn(FRAMES_PER_CALL)
    if (this.#leaving && this.#streams.size === 0) this.#fail(ErrorCode.noError, '')
  }

  #changed(): void {
    if (this.#scheduled || this.#over) return
    this.#scheduled = true
    this.#turn.add(this)
  }

  /** Whether a frame, or a header block, has not come to its end for longer than a call may take. */
  #isStuck(now: number): boolean {
    const { frames, within } = this.#reader
    if (this.#readTimeoutMs === 0 || !(within || this.#incoming.within)) return false
    if (this.#stuckFrame !== frames) {
      this.#stuckFrame = frames
      this.#stuckSince = now
      return false
    }
    return now - this.#stuckSince >= this.#readTimeoutMs
  }

  #certificate(): PeerCertificate | undefined {
    return this.#socket instanceof TLSSocket ? this.#socket.getPeerCertificate() : undefined
  }
}

function isSame(payload: Buffer, bytes: Buffer, start: number): boolean {
  return payload.compare(bytes, start, start + payload.length) === 0
}
