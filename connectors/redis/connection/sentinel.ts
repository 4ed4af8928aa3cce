import type { Target } from './link.ts'
import { ask } from './link.ts'
import { type Locator, type Node, nameOf } from './locator.ts'

/** Milliseconds a sentinel has to answer: the others are there to be asked too. */
const PATIENCE = 1_000

export interface SentinelOptions {
  readonly master: string
  readonly nodes: readonly Node[]
  /** How to get into a sentinel. */
  readonly sentinelAccess: () => Promise<Target>
  /** How to get into the primary. */
  readonly access: () => Promise<Target>
  readonly timeout: number
  readonly name: string
}

/**
 * Asks all sentinels at once where the primary is, and goes where most of those that answer point to: one that is
 * cut off from the others still names the primary of before.
 */
export class SentinelLocator implements Locator {
  readonly address: string
  readonly roams = true
  readonly #options: SentinelOptions

  constructor(options: SentinelOptions) {
    this.#options = options
    this.address = `the primary of ${options.master}`
  }

  async find(): Promise<Target> {
    const { nodes, access, master } = this.#options
    const votes = new Map<string, number>()
    const problems: string[] = []
    const enough = Promise.withResolvers<void>()
    const asked = nodes.map(async (node) => {
      try {
        const place = await this.#ask(node)
        const count = (votes.get(place) ?? 0) + 1
        votes.set(place, count)
        if (count > nodes.length / 2) enough.resolve()
      } catch (error) {
        problems.push(`${nameOf(node)}: ${error instanceof Error ? error.message : String(error)}`)
      }
    })
    await Promise.race([enough.promise, Promise.all(asked)])
    const [best] = [...votes].sort(([, a], [, b]) => b - a)
    if (best === undefined) throw new Error(`no sentinel tells where ${master} is (${problems.join('; ')})`)
    const [host, port] = best[0].split(' ')
    return { ...(await access()), host, port: Number(port) }
  }

  async #ask(node: Node): Promise<string> {
    const { sentinelAccess, master, timeout, name } = this.#options
    const options = { timeout: Math.min(timeout, PATIENCE), name }
    const target = { ...(await sentinelAccess()), ...node }
    const reply = await ask(target, options, 'SENTINEL', ['GET-MASTER-ADDR-BY-NAME', master])
    if (!Array.isArray(reply)) throw new Error(`does not know ${master}`)
    return reply.join(' ')
  }
}
