import { Writable } from 'node:stream'
import type { Logform } from 'winston'
import type { Logger } from '../logger/logger.ts'
import { countBridge, isFirstTold } from './shared/doubles.ts'
import { emitRead } from './shared/emit.ts'
import { ownName } from './shared/severities.ts'
import { contentOf, type Info } from './winston/info.ts'
import { severityOfWinston, type WinstonLevels } from './winston/levels.ts'

const LEVEL = Symbol.for('level')
const MESSAGE = Symbol.for('message')

/** Options that all transports of winston have, and the severities of levels of one's own. */
export interface WinstonTransportOptions {
  /** The least severe level of this transport; the logger's without it. */
  readonly level?: string
  readonly format?: Logform.Format
  readonly silent?: boolean
  readonly handleExceptions?: boolean
  readonly handleRejections?: boolean
  /** OTel severity numbers of levels that npm and syslog do not have. Default: that of the next less severe level. */
  readonly severities?: Readonly<Record<string, number>>
}

/** What a transport knows of the logger that it was added to. */
interface Parent {
  readonly level?: string
  readonly levels?: WinstonLevels
}

/**
 * A transport for winston 3. It takes each record at once, so that none waits in winston.
 *
 * @example
 * ```ts
 * const log = createLogger({ service: 'shop', level: 'debug' })
 * winston.createLogger({ level: 'debug', transports: [new WinstonTransport(log)] })
 * ```
 */
export class WinstonTransport extends Writable {
  // Read, and set, by winston and its users.
  level?: string
  format?: Logform.Format
  silent?: boolean
  handleExceptions?: boolean
  handleRejections?: boolean
  readonly #log: Logger
  readonly #severities: Readonly<Record<string, number>>
  #parent: Parent | undefined

  constructor(log: Logger, options: WinstonTransportOptions = {}) {
    super({ objectMode: true })
    const { severities = {}, ...own } = options
    Object.assign(this, own)
    this.#log = log
    this.#severities = severities
    countBridge()
    this.on('pipe', (parent: Parent) => (this.#parent = parent))
    this.on('unpipe', (parent: Parent) => {
      if (parent !== this.#parent) return
      this.#parent = undefined
      this.close()
    })
  }

  /** Logs what winston hands on: here from the logger, and to `exceptionHandlers` without it. */
  log(info: Info, next: () => void): void {
    if (isFirstTold(() => info[MESSAGE])) {
      const name = String(info[LEVEL] ?? info.level)
      const own = Object.hasOwn(this.#severities, name) ? this.#severities[name] : undefined
      const severity = own ?? severityOfWinston(name, this.#parent?.levels)
      emitRead(this.#log, severity, () => ({ severityText: ownName(name), ...contentOf(info) }))
    }
    next()
  }

  /** Called when the transport is removed from its logger, or that is closed: has all sent. */
  close(): void {
    void this.#log.flush()
  }

  override _write(info: Info, _encoding: string, done: () => void): void {
    if (!this.#takes(info)) return done()
    const formatted = this.#formatted(info)
    if (formatted === undefined) done()
    else this.log(formatted, done)
  }

  override _final(done: () => void): void {
    void this.#log.flush().finally(done)
  }

  #takes(info: Info): boolean {
    if (this.silent === true || (info.exception === true && this.handleExceptions !== true)) return false
    const { levels, level: parentLevel } = this.#parent ?? {}
    const level = this.level ?? parentLevel
    if (level === undefined || levels === undefined) return true
    // A level that the logger does not have is no reason to lose a record.
    return !(levels[level] < levels[String(info[LEVEL])])
  }

  /** As the format of this transport makes it; undefined where that leaves it out. One that throws is as none. */
  #formatted(info: Info): Info | undefined {
    const { format } = this
    if (format === undefined) return info
    try {
      const copy = { ...info } as unknown as Logform.TransformableInfo
      const formatted = format.transform(copy, format.options)
      return typeof formatted === 'object' ? formatted : undefined
    } catch {
      return info
    }
  }
}
