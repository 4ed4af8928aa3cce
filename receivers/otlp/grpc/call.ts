import type { IncomingHttpHeaders } from 'node:http2'
import { MalformedError } from '../../../src/logs/wire.ts'
import type { Counts } from '../counts.ts'
import { DECOMPRESSORS, type Room, type SizeLimit } from '../decompression/decompress.ts'
import { type Door, NOBODY, type Sender } from '../door/door.ts'
import type { Incoming, Intake } from '../intake.ts'
import type { Hold } from '../limits/in-flight.ts'
import type { Limits } from '../limits/limits.ts'
import { Code, type Failure, outcomeOf, Refusal, refused } from '../outcome.ts'
import { answer, refuse } from './answer.ts'
import type { CallStream, StreamReader } from './call-stream.ts'
import { MessageReader } from './message-reader.ts'
import { EXPORT } from './serve.ts'

const CONTENT_TYPE = /^application\/grpc(?:\+proto)?(?:\s*;|$)/i
const TIMEOUT = /^(\d{1,8})([HMSmun])$/
const TIMEOUT_UNITS_MS = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 }

/** What the calls of a server have in common. */
export interface Calls {
  readonly intake: Intake
  readonly door: Door
  readonly counts: Counts
  readonly limit: SizeLimit
  readonly limits: Limits
  /** Milliseconds a message may take to arrive; 0 is for ever. */
  readonly readTimeoutMs: number
}

/** One call of Export, from its headers to its answer. It is counted once, whatever becomes of it. */
export class Call implements Incoming, StreamReader {
  readonly hold: Hold
  sender: Sender = NOBODY
  readonly #stream: CallStream
  readonly #headers: IncomingHttpHeaders
  readonly #calls: Calls
  readonly #reader: MessageReader
  readonly #started = performance.now()
  #whenClosed: (call: Call) => void = () => {}
  #receivedBytes = 0
  /** Until then the transport counts, from then on the intake. */
  #reading = true

  constructor(stream: CallStream, headers: IncomingHttpHeaders, calls: Calls) {
    this.#stream = stream
    this.#headers = headers
    this.#calls = calls
    this.hold = calls.limits.inFlight.hold()
    this.#reader = new MessageReader(calls.limit, this.hold, stream)
  }

  /** Takes the call, or turns it away by its headers. `closed` is called once its stream is. */
  start(closed: (call: Call) => void): void {
    this.#whenClosed = closed
    this.#stream.open(this)
    if (this.#hasOurHeaders()) this.#knock()
  }

  /** Whether the client gave the call up before it was answered. */
  get abandoned(): boolean {
    return this.#stream.aborted
  }

  /** Gives up a call that takes too long. What has been pushed stays pushed: only the client is told. */
  checkTime(now: number): void {
    const passed = now - this.#started
    const { readTimeoutMs, limits } = this.#calls
    if (this.#reading && readTimeoutMs > 0 && passed >= readTimeoutMs) {
      this.#refuse(refused('timeout', `the message has not come within ${readTimeoutMs} ms (read_timeout)`))
      return
    }
    const slow = this.#reading ? limits.bodyRate.judge(this.#receivedBytes, passed) : undefined
    if (slow !== undefined) {
      this.#refuse(refused(slow.reason, slow.message))
      return
    }
    if (passed < timeoutOf(this.#headers)) return
    const late = refused('timeout', 'the deadline of the call has passed')
    if (this.#reading) this.#refuse(late)
    // Answered, but the client does not read: nobody waits for the rest of it.
    else if (this.#stream.answered) this.#stream.cancel()
    else refuse(this.#stream, late)
  }

  read(): Buffer | Promise<Buffer> {
    const message = this.#reader.finish()
    this.sender.allowance?.take({ bytes: message.length })
    if (!this.#reader.compressed) return message
    const { limit, limits } = this.#calls
    const room = { limit, maxRatio: limits.maxCompressionRatio, hold: this.hold }
    return decompressMessage(message, this.#headers, room)
  }

  giveBack(): void {
    this.#reader.giveBack()
  }

  data(chunk: Buffer): void {
    if (!this.#reading) return
    this.#receivedBytes += chunk.length
    try {
      this.#reader.add(chunk)
    } catch (error) {
      const outcome = outcomeOf(error, 0)
      if (outcome === undefined || outcome.ok) throw error
      this.#refuse(outcome)
    }
  }

  end(): void {
    if (!this.#reading) return
    this.#reading = false
    void this.#take()
  }

  closed(): void {
    if (this.#reading) this.#refuse(refused('disconnected', 'the client went away'))
    this.#whenClosed(this)
  }

  #hasOurHeaders(): boolean {
    const { ':method': method, ':path': path = '', 'content-type': type = '' } = this.#headers
    if (method !== 'POST') {
      this.#refuse(refused('method', `gRPC is sent with POST, not ${method}`), 405)
    } else if (!CONTENT_TYPE.test(type)) {
      this.#refuse(refused('content_type', 'the Content-Type is neither application/grpc nor +proto'), 415)
    } else if (path !== EXPORT) {
      this.#refuse(refused('not_found', `there is no ${path}; logs go to ${EXPORT}`))
    }
    return this.#reading
  }

  /** Nothing is read, and the client is held back by flow control, until it is known who sends. */
  #knock(): void {
    const certificate = () => this.#stream.certificate()
    const turnAway = (error: unknown): void => {
      const outcome = this.#calls.intake.outcomeOf(error, 0)
      if (this.#reading && !outcome.ok) this.#refuse(outcome)
    }
    try {
      const sender = this.#calls.door.admit({ headers: this.#headers, certificate })
      if (sender instanceof Promise) sender.then((known) => this.#letIn(known), turnAway)
      else this.#letIn(sender)
    } catch (error) {
      turnAway(error)
    }
  }

  #letIn(sender: Sender): void {
    if (!this.#reading) return
    this.sender = sender
    this.#stream.read()
  }

  async #take(): Promise<void> {
    const { intake, counts } = this.#calls
    answer(this.#stream, await intake.take(this, counts))
  }

  /** Turns away a call that is still being read: nobody else has seen its bytes. */
  #refuse(failure: Failure, status?: number): void {
    this.#reading = false
    this.#reader.giveBack()
    this.hold.release()
    this.#calls.counts.count(failure, 0)
    refuse(this.#stream, failure, status)
  }
}

/** Milliseconds that a client gives a call; endless where it does not say. */
export function timeoutOf(headers: IncomingHttpHeaders): number {
  const [, amount, unit] = TIMEOUT.exec(String(headers['grpc-timeout'])) ?? []
  return unit === undefined
    ? Infinity
    : Number(amount) * TIMEOUT_UNITS_MS[unit as keyof typeof TIMEOUT_UNITS_MS]
}

/** Whether it is gRPC with protobuf that a call is. */
export function isGrpc({ ':method': method, 'content-type': type = '' }: IncomingHttpHeaders): boolean {
  return method === 'POST' && CONTENT_TYPE.test(type)
}

/**
 * Undoes the compression that a message says it has, by the call's grpc-encoding.
 * @throws Refusal when it is too large, or cannot be decompressed
 * @throws RetryableError when there is no memory for it now
 */
export async function decompressMessage(
  message: Buffer,
  headers: IncomingHttpHeaders,
  room: Room,
): Promise<Buffer> {
  const encoding = String(headers['grpc-encoding'] ?? 'identity')
  if (encoding === 'identity') {
    throw new Refusal(
      'malformed',
      'the message is compressed, but grpc-encoding does not say how',
      Code.internal,
    )
  }
  const decompress = DECOMPRESSORS.get(encoding)
  if (decompress === undefined) {
    const known = 'the grpc-encoding is none of gzip, deflate, zstd and identity'
    throw new Refusal('content_encoding', known, Code.unimplemented)
  }
  try {
    return await decompress(message, room)
  } catch (error) {
    if (error instanceof MalformedError) throw new Refusal('malformed', error.message, Code.internal)
    throw error
  }
}
