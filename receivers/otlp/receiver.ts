import type { Push, Receiver } from '../../src/component.ts'
import type { ComponentContext } from '../../src/define.ts'
import type { OtlpConfig } from './config.ts'
import { Connections } from './connections.ts'
import { Content } from './content.ts'
import { Counts } from './counts.ts'
import type { Entrance } from './entrance.ts'
import { serveGrpc } from './grpc/serve.ts'
import { Serving } from './grpc/services/serving.ts'
import { serveHttp } from './http.ts'
import { Intake } from './intake.ts'
import { Limits } from './limits.ts'
import type { Listener } from './listen.ts'

type Protocol = 'grpc' | 'http'

/** Takes logs over OTLP/gRPC and OTLP/HTTP, and answers once `push` has settled. */
export class OtlpReceiver implements Receiver {
  readonly #protocols: OtlpConfig['protocols']
  readonly #limits: OtlpConfig['limits']
  readonly #context: ComponentContext & { readonly push: Push }
  readonly #listeners = new Map<Protocol, Listener>()
  readonly #giveUp = new AbortController()
  readonly #serving = new Serving()

  constructor({ protocols, limits }: OtlpConfig, context: ComponentContext & { readonly push: Push }) {
    this.#protocols = protocols
    this.#limits = limits
    this.#context = context
  }

  /** Rejects when an endpoint cannot be listened on; then none is. */
  async start(): Promise<void> {
    const { push, log, metrics } = this.#context
    const limits = new Limits(this.#limits, metrics)
    const intake = new Intake(push, new Content(this.#limits, metrics), log, this.#giveUp.signal)
    const entrance = (protocol: Protocol): Entrance => ({
      intake,
      counts: new Counts(metrics, protocol),
      limits,
      connections: new Connections(this.#limits.max_connections, metrics, protocol),
      serving: this.#serving,
    })
    const { grpc, http } = this.#protocols
    try {
      if (grpc) this.#add('grpc', await serveGrpc(grpc, entrance('grpc')))
      if (http) this.#add('http', await serveHttp(http, entrance('http')))
      this.#serving.now = true
    } catch (error) {
      await this.stop(AbortSignal.abort())
      throw error
    }
  }

  /** Lets running requests finish; when `deadline` aborts, gives them up, and their clients keep their copies. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#serving.now = false
    const giveUp = (): void => this.#giveUp.abort()
    if (deadline.aborted) giveUp()
    deadline.addEventListener('abort', giveUp, { once: true })
    await Promise.all([...this.#listeners.values()].map((listener) => listener.stop(deadline)))
    deadline.removeEventListener('abort', giveUp)
  }

  /** The port that a protocol is served on, once started. */
  port(protocol: Protocol): number | undefined {
    return this.#listeners.get(protocol)?.port
  }

  #add(protocol: Protocol, listener: Listener): void {
    this.#listeners.set(protocol, listener)
    this.#context.log.info({ protocol, address: listener.address }, 'listening')
  }
}
