import { RetryableError } from '../../../src/component.ts'
import type { ComponentContext } from '../../../src/define.ts'
import type { LogBatch } from '../../../src/logs/batch.ts'
import type { RedisConfig } from '../config.ts'
import type { RedisClient } from '../connection/client.ts'
import { parseInfo, type ServerInfo, serverInfo } from '../connection/info.ts'
import type { Admission } from '../stream/producer.ts'
import type { Streams } from '../stream/streams.ts'
import { forbidEviction } from './eviction.ts'
import { Fill } from './fill.ts'
import { Findings, type Look } from './findings.ts'
import { ServerGauges } from './gauges.ts'
import { shed } from './shedding.ts'
import { Spokesman } from './spokesman.ts'
import { type Finding, findingOf, unreachable } from './states.ts'
import { isMisfit, judge } from './verdict.ts'
import { REFUSE } from './watermark.ts'

const INTERVAL = 1_000
/** A look that takes longer is told of. */
const PATIENCE = 1_000

export interface MonitorOptions {
  readonly client: RedisClient
  readonly streams: Streams
  readonly config: RedisConfig
  readonly context: ComponentContext
}

/**
 * Looks at the server every second, whenever the connection has come or gone, and when a push was answered strangely:
 * whether it is set up to keep what it accepts, how full it is, what the stream holds. Tells health and metrics, and
 * lets pushes in or not.
 */
export class Monitor implements Admission {
  readonly #options: MonitorOptions
  readonly #findings = new Findings()
  readonly #fill: Fill
  readonly #server: ServerGauges
  readonly #spokesman: Spokesman
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  /** The run of the server, as the client names it, that the findings are about. */
  #judged: string | undefined
  #trouble: RetryableError | undefined
  #identity: Buffer | undefined

  constructor(options: MonitorOptions) {
    this.#options = options
    const { client, config, streams, context } = options
    this.#fill = new Fill({ config, copies: streams.naming.groups.length })
    this.#server = new ServerGauges(context.metrics, {
      connected: () => client.server !== undefined,
      has: (state) => this.#findings.has(state),
      fill: this.#fill,
    })
    this.#spokesman = new Spokesman(context, client.address)
    client.onChange(() => this.#lookAgain())
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), INTERVAL).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** What makes the server unfit to start with, if something does. */
  get misfit(): string | undefined {
    const finding = this.#findings.all.find(isMisfit)
    return finding && this.#spokesman.sentence(finding.detail)
  }

  admit(server: string | undefined): Buffer {
    const { client } = this.#options
    if (this.#judged === undefined || server !== this.#judged) {
      const message = `${client.address} is connected, but not looked at yet`
      throw this.#trouble ?? new RetryableError(message, { reason: 'unreachable' })
    }
    for (const { refusal: reason, detail } of this.#findings.all) {
      if (reason !== undefined) throw new RetryableError(this.#spokesman.sentence(detail), { reason })
    }
    if (this.#fill.level() === REFUSE) throw this.#full('watermark', this.#fill.detail())
    return this.identity()
  }

  /** The identity key, where it is known. */
  get known(): Buffer | undefined {
    return this.#identity
  }

  identity(): Buffer {
    if (this.#identity) return this.#identity
    throw this.#trouble ?? new RetryableError('the buffer has not started', { reason: 'unreachable' })
  }

  shed(batch: LogBatch): LogBatch {
    const { shedding } = this.#options.config
    if (shedding.debug === undefined && shedding.info === undefined) return batch
    return shed(batch, this.#fill.greatestShare, shedding)
  }

  writing(bytes: number, records: number): () => void {
    return this.#fill.writing(bytes, records)
  }

  met(error: unknown): unknown {
    if (!(error instanceof RetryableError)) return error
    if (error.reason === 'full') {
      this.#lookAgain()
      return this.#full('full', error.message)
    }
    const finding = findingOf(error)
    if (finding !== undefined && this.#findings.told(finding)) {
      this.#tell()
      this.#lookAgain()
    }
    return error
  }

  /** Looks now; never throws. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  #lookAgain(): void {
    if (this.#timer) void this.look()
  }

  async #look(): Promise<void> {
    const { client } = this.#options
    const look = this.#findings.look()
    const late = setTimeout(() => setImmediate(() => this.#late(look)), PATIENCE)
    try {
      const { server } = client
      const { info, findings } = await this.#inspect()
      look.saw(findings, info.runId)
      this.#judged = server
      this.#trouble = undefined
      this.#server.show(info)
    } catch (error) {
      this.#trouble =
        error instanceof RetryableError ? error : new RetryableError(String(error), { cause: error })
      look.failed(findingOf(this.#trouble) ?? unreachable(this.#trouble.message))
    } finally {
      clearTimeout(late)
    }
    this.#tell()
  }

  /** Everything there is to see; throws where the server does not say how it is. */
  async #inspect(): Promise<{ info: ServerInfo; findings: Finding[] }> {
    const { client, config, streams } = this.#options
    const filled = this.#fill.look()
    let info = await this.#info()
    let fault: string | undefined
    if (config.fix_noeviction && info.policy !== 'noeviction') {
      fault = await forbidEviction(client)
      if (fault === undefined) info = await this.#info()
    }
    const findings = judge(info, config).map((finding) =>
      finding.state === 'evicting' && fault ? { ...finding, detail: `${finding.detail}; ${fault}` } : finding,
    )
    if (findings.some(({ refusal }) => refusal === 'version')) return { info, findings }
    try {
      filled({ used: info.usedMemory, max: info.maxMemory }, await streams.queues())
      this.#identity = await streams.observe()
    } catch (error) {
      // A server that refuses to write tells so only who writes.
      const finding = error instanceof RetryableError ? findingOf(error) : undefined
      if (finding === undefined) throw error
      findings.unshift(finding)
    }
    return { info, findings }
  }

  async #info(): Promise<ServerInfo> {
    return serverInfo(parseInfo(await this.#options.client.command('INFO', [])))
  }

  #late(look: Look): void {
    look.waits(unreachable(`has not answered for ${PATIENCE} ms: see whether it runs, and what holds it up`))
    this.#tell()
  }

  #full(reason: string, detail: string): RetryableError {
    const message = this.#spokesman.sentence(detail)
    return new RetryableError(message, { reason, retryAfter: this.#fill.retryAfter() })
  }

  #tell(): void {
    this.#spokesman.tell(this.#findings.all, [this.#fill.detail(), this.#options.streams.trouble])
  }
}
