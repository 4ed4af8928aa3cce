import type { Target } from './link.ts'
import { ask } from './link.ts'
import { type Locator, type Node, nameOf } from './locator.ts'

/** Milliseconds a node has to answer: the others are there to be asked too. */
const PATIENCE = 1_000
/** Nodes asked at once. */
const ASKED = 5

export interface ClusterOptions {
  /** Those to begin with; the cluster tells of others. */
  readonly nodes: readonly Node[]
  readonly slot: number
  readonly access: () => Promise<Target>
  readonly timeout: number
  readonly name: string
}

type Owner = readonly [host: Buffer | null, port: number]
type Range = readonly [first: number, last: number, primary: Owner, ...replicas: Owner[]]

/** Finds the primary that holds a slot: whatever node answers first tells, and so does a MOVED. */
export class ClusterLocator implements Locator {
  readonly address: string
  readonly roams = true
  readonly #options: ClusterOptions
  #known: readonly Node[] = []
  #moved: Node | undefined

  constructor(options: ClusterOptions) {
    this.#options = options
    this.address = `slot ${options.slot} of the cluster ${options.nodes.map(nameOf).join(',')}`
  }

  async find(): Promise<Target> {
    const { access } = this.#options
    // Once only: who is sent on to a node that has gone asks again.
    const moved = this.#moved
    this.#moved = undefined
    return { ...(await access()), ...(moved ?? (await this.#owner())) }
  }

  refused(answer: string): void {
    const [, host, port] = /^MOVED \d+ (\S+):(\d+)$/.exec(answer) ?? []
    if (host !== undefined) this.#moved = { host, port: Number(port) }
  }

  async #owner(): Promise<Node> {
    const { nodes, slot } = this.#options
    const all = new Map([...shuffled(this.#known), ...nodes].map((node) => [nameOf(node), node]))
    const problems: string[] = []
    const asked = [...all.values()].slice(0, Math.max(ASKED, nodes.length)).map(async (node) => {
      try {
        return await this.#ask(node)
      } catch (error) {
        problems.push(`${nameOf(node)}: ${error instanceof Error ? error.message : String(error)}`)
        throw error
      }
    })
    try {
      return await Promise.any(asked)
    } catch {
      throw new Error(`no node tells who holds slot ${slot} (${problems.join('; ')})`)
    }
  }

  async #ask(node: Node): Promise<Node> {
    const { access, slot, timeout, name } = this.#options
    const options = { timeout: Math.min(timeout, PATIENCE), name }
    const reply = await ask({ ...(await access()), ...node }, options, 'CLUSTER', ['SLOTS'])
    const ranges = reply as readonly Range[]
    // Without a name, the node means itself.
    const toNode = ([host, port]: Owner): Node => ({ host: String(host ?? '') || node.host, port })
    this.#known = ranges.flatMap(([, , ...owners]) => owners.map(toNode))
    const range = ranges.find(([first, last]) => first <= slot && slot <= last)
    if (range === undefined) throw new Error(`nobody serves slot ${slot}`)
    return toNode(range[2])
  }
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)
}
