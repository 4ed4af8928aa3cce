import { RetryableError } from '../../../src/component.ts'
import type { ComponentContext } from '../../../src/define.ts'
import type { RedisConfig } from '../config.ts'
import type { RedisClient } from '../connection/client.ts'
import { FULL_RETRY_AFTER } from '../connection/errors.ts'
import { parseInfo, type ServerInfo, serverInfo } from '../connection/info.ts'
import type { Admission } from '../stream/producer.ts'
import type { Streams } from '../stream/streams.ts'
import { ServerGauges } from './gauges.ts'
import { judge, type Verdict } from './verdict.ts'

const INTERVAL = 1_000

export interface MonitorOptions {
  readonly client: RedisClient
  readonly streams: Streams
  readonly config: RedisConfig
  readonly context: ComponentContext
}

/**
 * Looks at the server every second and whenever the connection has come or gone: whether it is set up to keep what
 * it accepts, how much memory is left, what the stream holds. Tells health and metrics, and lets pushes in or not.
 */
export class Monitor implements Admission {
  readonly #options: MonitorOptions
  readonly #server: ServerGauges
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #verdict: Verdict | undefined
  /** The run of the server that the verdict is about. */
  #judged: string | undefined
  #trouble: RetryableError | undefined
  #identity: Buffer | undefined
  #told = ''

  constructor(options: MonitorOptions) {
    this.#options = options
    const { client, context } = options
    this.#server = new ServerGauges(context.metrics, () => client.server !== undefined)
    client.onChange(() => {
      if (this.#timer) void this.look()
    })
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), INTERVAL).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** What makes the server unfit, if something does. */
  get misfit(): string | undefined {
    return this.#verdict?.health === 'failed' ? this.#sentence(this.#verdict) : undefined
  }

  admit(server: string | undefined): Buffer {
    const { client } = this.#options
    if (this.#verdict === undefined || server === undefined || server !== this.#judged) {
      const message = `${client.address} is connected, but not looked at yet`
      throw this.#trouble ?? new RetryableError(message, { reason: 'unreachable' })
    }
    const { refusal: reason } = this.#verdict
    if (reason !== undefined) {
      throw new RetryableError(this.#sentence(this.#verdict), { reason, retryAfter: FULL_RETRY_AFTER })
    }
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

  /** Looks now; never throws. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #look(): Promise<void> {
    const { client, config } = this.#options
    const { server } = client
    try {
      const info = await this.#readServer()
      this.#verdict = judge(info, config, this.#verdict?.refusal === 'watermark')
      this.#judged = server
      this.#trouble = undefined
      this.#server.show(info, this.#verdict)
      if (this.#verdict.refusal !== 'version') this.#identity = await this.#options.streams.observe()
      this.#tell(withTrouble(this.#verdict, this.#options.streams.trouble))
    } catch (error) {
      this.#trouble =
        error instanceof RetryableError ? error : new RetryableError(String(error), { cause: error })
      this.#tell({ health: 'failed', detail: this.#trouble.message })
    }
  }

  async #readServer(): Promise<ServerInfo> {
    const { client } = this.#options
    const sections = await Promise.all(
      ['server', 'memory', 'persistence'].map(async (section) =>
        parseInfo(await client.command('INFO', [section])),
      ),
    )
    return serverInfo(new Map(sections.flatMap((section) => [...section])))
  }

  #tell({ health, detail }: Pick<Verdict, 'health' | 'detail'>): void {
    const { context } = this.#options
    const sentence = this.#sentence({ detail })
    context.health(health, sentence || undefined)
    // Figures in the text change with every look: only another kind of trouble is news.
    const kind = `${health} ${detail.replaceAll(/\d+/g, '')}`
    if (kind === this.#told) return
    if (health !== 'ok') context.log.warn({ health }, sentence)
    else if (this.#told !== '') context.log.info(`${this.#options.client.address} is well again`)
    this.#told = kind
  }

  #sentence({ detail }: Pick<Verdict, 'detail'>): string {
    const { address } = this.#options.client
    return detail === '' || detail.startsWith(address) ? detail : `${address} ${detail}`
  }
}

/** What the streams have to tell makes a healthy server a degraded one. */
function withTrouble({ health, detail }: Verdict, trouble: string): Pick<Verdict, 'health' | 'detail'> {
  if (trouble === '') return { health, detail }
  return { health: health === 'ok' ? 'degraded' : health, detail: detail ? `${detail}; ${trouble}` : trouble }
}
