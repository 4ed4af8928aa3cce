import type { Push, Receiver } from '../../src/component.ts'
import type { ServerContext } from '../../src/define.ts'
import { Troubles } from '../../src/telemetry/troubles.ts'
import type { OtlpConfig } from './config.ts'
import { Counts } from './counts.ts'
import { type Guard, guardOf } from './door/guard.ts'
import { RateLimits } from './door/rate-limits.ts'
import type { Entrance } from './entrance.ts'
import { serveGrpc } from './grpc/serve.ts'
import { Serving } from './grpc/services/serving.ts'
import { serveHttp } from './http/serve.ts'
import { Intake } from './intake.ts'
import { Connections } from './limits/connections.ts'
import { Content } from './limits/content.ts'
import { Limits } from './limits/limits.ts'
import type { Listener } from './listen/listen.ts'

type Protocol = 'grpc' | 'http'

/** Takes logs over OTLP/gRPC and OTLP/HTTP, and answers once `push` has settled. */
export class OtlpReceiver implements Receiver {
  readonly #config: OtlpConfig
  readonly #context: ServerContext & { readonly push: Push }
  readonly #guards = new Map<Protocol, Guard>()
  readonly #listeners = new Map<Protocol, Listener>()
  readonly #giveUp = new AbortController()
  readonly #serving = new Serving()

  constructor(config: OtlpConfig, context: ServerContext & { readonly push: Push }) {
    this.#config = config
    this.#context = context
    const { tenant, rate_limits } = config
    const limits = rate_limits && new RateLimits(rate_limits, context.metrics)
    const troubles = new Troubles(context.health)
    for (const name of ['grpc', 'http'] as const) {
      const settings = config.protocols[name]
      if (settings) this.#guards.set(name, guardOf(name, settings, { tenant, limits, troubles, context }))
    }
  }

  /** Rejects when an endpoint cannot be listened on; then none is. */
  async start(): Promise<void> {
    const { grpc, http } = this.#config.protocols
    const entrance = this.#entrance()
    try {
      if (grpc) this.#add('grpc', await serveGrpc(grpc, await entrance('grpc')))
      if (http) this.#add('http', await serveHttp(http, await entrance('http')))
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
    for (const { certificates } of this.#guards.values()) await certificates?.stop()
  }

  /** The port that a protocol is served on, once started. */
  port(protocol: Protocol): number | undefined {
    return this.#listeners.get(protocol)?.port
  }

  /** What protocols serve with, each for itself and all together; rejects where a certificate cannot be used. */
  #entrance(): (protocol: Protocol) => Promise<Entrance> {
    const { push, log, metrics } = this.#context
    const { tenant, limits: settings } = this.#config
    const limits = new Limits(settings, metrics)
    const intake = new Intake({
      push,
      content: new Content(settings, metrics),
      log,
      signal: this.#giveUp.signal,
      tenantAttribute: tenant.attribute,
    })
    return async (protocol) => {
      const guard = this.#guards.get(protocol)
      if (guard === undefined) throw new Error(`${protocol} is off`)
      await guard.certificates?.start()
      return {
        intake,
        counts: new Counts(metrics, protocol),
        limits,
        connections: new Connections(settings.max_connections, metrics, protocol),
        guard,
        serving: this.#serving,
      }
    }
  }

  #add(protocol: Protocol, listener: Listener): void {
    this.#listeners.set(protocol, listener)
    this.#context.log.info({ protocol, address: listener.address }, 'listening')
  }
}
