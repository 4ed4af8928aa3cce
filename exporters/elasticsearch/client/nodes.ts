import { type Node, nameOf } from './node.ts'

/** The nodes of a cluster, which take turns. Those that are down are left out, but never all of them. */
export class Nodes {
  readonly #open: (url: URL) => Node
  #nodes: readonly Node[]
  #next = 0

  constructor(urls: readonly URL[], open: (url: URL) => Node) {
    this.#open = open
    this.#nodes = distinct(urls).map(open)
  }

  get size(): number {
    return this.#nodes.length
  }

  get all(): readonly Node[] {
    return this.#nodes
  }

  /**
   * Whose turn it is, of those not tried yet. Where all are down, the one that comes back first is tried all the same,
   * once: when something was tried already, there is none.
   */
  pick(tried: ReadonlySet<Node>): Node | undefined {
    const start = this.#next++
    for (let step = 0; step < this.#nodes.length; step++) {
      const node = this.#nodes[(start + step) % this.#nodes.length]
      if (node.isAvailable && !tried.has(node)) return node
    }
    if (tried.size > 0) return undefined
    return this.#nodes.reduce((first, node) => (node.pausedUntil < first.pausedUntil ? node : first))
  }

  /** Takes other nodes from now on; those that stay keep their connections. */
  replace(urls: readonly URL[]): void {
    const old = new Map(this.#nodes.map((node) => [node.name, node]))
    this.#nodes = distinct(urls).map((url) => old.get(nameOf(url)) ?? this.#open(url))
    for (const node of this.#nodes) old.delete(node.name)
    for (const node of old.values()) void node.retire()
  }

  async close(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.close()))
  }
}

function distinct(urls: readonly URL[]): URL[] {
  return [...new Map(urls.map((url) => [nameOf(url), url])).values()]
}
