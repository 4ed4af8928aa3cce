import type { Gateway } from './gateway.ts'
import type { Random } from './random.ts'

interface Connected {
  disconnected(gateway: Gateway): void
}

/** Gives every connection a gateway, evenly. A connection stays where it is until its gateway is found dead. */
export class Balancer {
  readonly #random: Random
  readonly #members: Gateway[]
  readonly #clients = new Set<Connected>()

  constructor(random: Random, gateways: readonly Gateway[]) {
    this.#random = random
    this.#members = [...gateways]
  }

  /** Undefined while there is no gateway at all. */
  pick(client: Connected): Gateway | undefined {
    this.#clients.add(client)
    const least = Math.min(...this.#members.map(({ connections }) => connections))
    const idlest = this.#members.filter(({ connections }) => connections === least)
    const gateway = idlest[Math.floor(this.#random.uniform() * idlest.length)]
    if (gateway !== undefined) gateway.connections++
    return gateway
  }

  /** The health check has found it dead: its connections are reset. */
  lose(gateway: Gateway): void {
    this.#members.splice(this.#members.indexOf(gateway), 1)
    gateway.connections = 0
    for (const client of this.#clients) client.disconnected(gateway)
  }

  /** It takes new connections again; those of others stay where they are. */
  regain(gateway: Gateway): void {
    this.#members.push(gateway)
  }
}
