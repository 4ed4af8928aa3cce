import type { IncomingHttpHeaders } from 'node:http2'
import type { GrpcSettings } from '../config.ts'
import type { Connections, RejectionReason } from '../limits/connections.ts'
import type { Budget } from './budget.ts'
import { Call, type Calls, isGrpc } from './call.ts'
import type { CallStream } from './call-stream.ts'
import { resetBudget } from './reset-budget.ts'
import type { Methods } from './services/method.ts'
import { ServiceCall } from './services/service-call.ts'

/** As other servers have it: so often at most a client without calls pings, if it may not ping more often. */
const IDLE_PING_MS = 2 * 60 * 60 * 1000
const STRIKES = 2
/** Share of the age by which that of each connection differs, so that they do not all end at once. */
const JITTER = 0.1

/** What is served on every connection. */
export interface Served {
  readonly calls: Calls
  /** Of services beside LogsService. */
  readonly methods: Methods
  readonly connections: Connections
}

/** The HTTP/2 of a connection, whoever speaks it. */
export interface Session {
  /** Whether it is over. */
  readonly destroyed: boolean
  ping(answered: () => void): void
  /** Takes no more calls, and closes when those that run have been answered. Called once. */
  end(): void
  /** Closes at once. */
  destroy(): void
  /** Closes with ENHANCE_YOUR_CALM. */
  calmDown(said: string): void
  /** Called several times a second, also when it is over. */
  checkTime(now: number): void
}

/** The connection of a client: its calls, how it behaves, and when it ends. */
export class Connection {
  readonly #session: Session
  readonly #settings: GrpcSettings
  readonly #served: Served
  readonly #resets: Budget
  readonly #calls = new Set<Call>()
  /** Of other services. They may last for ever, and end with the connection. */
  readonly #others = new Set<ServiceCall>()
  readonly #opened = performance.now()
  readonly #maxAge: number
  readonly #closed = (call: Call): void => this.#remove(call)
  readonly #otherClosed = (call: ServiceCall): void => this.#removeOther(call)
  #greeted = false
  #lastCall = this.#opened
  #heard = this.#opened
  #pinged: number | undefined
  #lastPing = Number.NEGATIVE_INFINITY
  #strikes = 0
  #ended: number | undefined

  constructor(session: Session, settings: GrpcSettings, served: Served) {
    this.#session = session
    this.#settings = settings
    this.#served = served
    this.#resets = resetBudget(settings.max_concurrent_streams)
    const age = settings.keepalive.server_parameters.max_connection_age
    this.#maxAge = age * (1 + JITTER * (2 * Math.random() - 1))
  }

  /** The client has begun to speak HTTP/2. */
  greet(): void {
    this.#greeted = true
  }

  /** The client has opened a stream. */
  open(stream: CallStream, headers: IncomingHttpHeaders): void {
    const { calls, methods } = this.#served
    const method = isGrpc(headers) ? methods.get(String(headers[':path'])) : undefined
    if (method) {
      const other = new ServiceCall(stream, headers, method, calls)
      this.#others.add(other)
      other.start(this.#otherClosed)
      return
    }
    const call = new Call(stream, headers, calls)
    this.#calls.add(call)
    call.start(this.#closed)
  }

  /** The client has pinged. */
  judgePing(): void {
    const { min_time, permit_without_stream } = this.#settings.keepalive.enforcement_policy
    const now = performance.now()
    const since = now - this.#lastPing
    this.#lastPing = this.#heard = now
    if (since >= (this.#busy > 0 || permit_without_stream ? min_time : IDLE_PING_MS)) return
    if (++this.#strikes <= STRIKES) return
    this.calmDown('pings', 'too_many_pings')
  }

  /** Closes the connection of a client that does too much of something, and says so. */
  calmDown(reason: RejectionReason, said: string): void {
    if (this.#session.destroyed) return
    this.#served.connections.reject(reason)
    this.#session.calmDown(said)
  }

  /** Ends what takes too long: called several times a second. */
  checkTime(now: number): void {
    for (const call of this.#calls) call.checkTime(now)
    for (const call of this.#others) call.checkTime(now)
    this.#session.checkTime(now)
    if (this.#session.destroyed) return
    const { read_timeout, keepalive } = this.#settings
    const { max_connection_idle, max_connection_age_grace } = keepalive.server_parameters
    const passed = (since: number, limit: number): boolean => limit > 0 && now - since >= limit
    if (!this.#greeted && passed(this.#opened, read_timeout)) this.destroy()
    else if (this.#ended !== undefined && passed(this.#ended, max_connection_age_grace)) this.destroy()
    else if (passed(this.#opened, this.#maxAge)) this.end()
    else if (this.#busy === 0 && passed(this.#lastCall, max_connection_idle)) this.end()
    else this.#checkAlive(now)
  }

  /** Closes when the calls that run have been answered; clients send further ones elsewhere. */
  end(): void {
    for (const call of this.#others) call.leave()
    if (this.#ended !== undefined || this.#session.destroyed) return
    this.#ended = performance.now()
    this.#session.end()
  }

  /** Closes at once; clients are told that their calls are cancelled, which they try again. */
  destroy(): void {
    this.#session.destroy()
  }

  get #busy(): number {
    return this.#calls.size + this.#others.size
  }

  #remove(call: Call): void {
    this.#calls.delete(call)
    this.#rest(call)
  }

  #removeOther(call: ServiceCall): void {
    this.#others.delete(call)
    this.#rest(call)
  }

  #rest({ abandoned }: Call | ServiceCall): void {
    this.#lastCall = this.#heard = performance.now()
    // A client may ping each time it has been answered: some measure the bandwidth that way.
    this.#lastPing = Number.NEGATIVE_INFINITY
    this.#strikes = 0
    if (abandoned && !this.#resets.spend(this.#heard)) this.calmDown('rapid_reset', 'too_many_resets')
  }

  #checkAlive(now: number): void {
    const { time, timeout } = this.#settings.keepalive.server_parameters
    if (this.#pinged !== undefined) {
      if (now - this.#pinged >= timeout) this.destroy()
    } else if (time > 0 && now - this.#heard >= time) {
      this.#pinged = now
      this.#session.ping(() => {
        this.#pinged = undefined
        this.#heard = performance.now()
      })
    }
  }
}
