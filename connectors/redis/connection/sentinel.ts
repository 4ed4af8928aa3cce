import { Link, type Target } from './link.ts'
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
  /** Kept open, since the question is asked again and again. */
  readonly #links = new Map<Node, Promise<Link>>()
  #closed = false

  constructor(options: SentinelOptions) {
    this.#options = options
    this.address = `the primary of ${options.master}`
  }

  async find(): Promise<Target> {
    return { ...(await this.#options.access()), ...(await this.#vote()) }
  }

  /** A primary that was replaced while it works goes on taking writes for seconds, all of which are lost. */
  async replaced({ host, port }: Target): Promise<boolean> {
    const named = await this.#vote()
    return named.host !== host || named.port !== port
  }

  close(): void {
    this.#closed = true
    for (const opening of this.#links.values()) void opening.then(end, () => {})
  }

  async #vote(): Promise<Node> {
    const { nodes, master } = this.#options
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
    return { host, port: Number(port) }
  }

  async #ask(node: Node): Promise<string> {
    const { master } = this.#options
    const link = await this.#linkTo(node)
    const reply = await link.send('SENTINEL', ['GET-MASTER-ADDR-BY-NAME', master])
    if (!Array.isArray(reply)) throw new Error(`does not know ${master}`)
    return reply.join(' ')
  }

  #linkTo(node: Node): Promise<Link> {
    let opening = this.#links.get(node)
    if (opening === undefined) {
      opening = this.#open(node)
      this.#links.set(node, opening)
      const forget = (): boolean => this.#links.delete(node)
      void opening.then((link) => link.ended).then(forget, forget)
    }
    return opening
  }

  async #open(node: Node): Promise<Link> {
    const { sentinelAccess, timeout, name } = this.#options
    const target = { ...(await sentinelAccess()), ...node }
    const link = await Link.open(target, { timeout: Math.min(timeout, PATIENCE), name })
    if (this.#closed) end(link)
    return link
  }
}

const end = (link: Link): void => link.close(new Error('the connection was closed'))
