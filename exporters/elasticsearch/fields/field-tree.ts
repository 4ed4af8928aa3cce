/** A part of field names, and what follows it. */
interface Part {
  readonly children: Map<string, Part>
  /** A field ends here. */
  isField: boolean
}

/** A name below which more parts follow than below any other. */
export interface Branch {
  /** Without a dot at its end; empty for the document itself. */
  readonly name: string
  readonly children: number
}

const MAX_NAME = 512

/** The names of fields, by their parts, up to a number of them. */
export class FieldTree {
  readonly #root: Part = newPart()
  readonly #capacity: number
  readonly #countsObjects: boolean
  #size = 0

  /** With `countsObjects` each part is an object to Elasticsearch, which counts them too. */
  constructor(capacity: number, countsObjects: boolean) {
    this.#capacity = capacity
    this.#countsObjects = countsObjects
  }

  /** How many fields there are, as Elasticsearch counts. */
  get size(): number {
    return this.#size
  }

  /** Nothing more is taken in. */
  get isFull(): boolean {
    return this.#size >= this.#capacity
  }

  /** Whether the name was new. Of long ones only the beginning counts. */
  add(name: string): boolean {
    let part = this.#root
    for (const text of name.slice(0, MAX_NAME).split('.')) {
      let next = part.children.get(text)
      if (next === undefined) {
        if (this.isFull) return false
        part.children.set(text, (next = newPart()))
        if (this.#countsObjects) this.#size++
      }
      part = next
    }
    if (part.isField || (!this.#countsObjects && this.isFull)) return false
    part.isField = true
    if (!this.#countsObjects) this.#size++
    return true
  }

  /** The widest of the branches that are wanted. */
  widest(isWanted: (name: string) => boolean = () => true): Branch | undefined {
    let found: Branch | undefined
    const visit = ({ children }: Part, name: string): void => {
      if (children.size > (found?.children ?? 1) && isWanted(name)) found = { name, children: children.size }
      for (const [text, child] of children) visit(child, name === '' ? text : `${name}.${text}`)
    }
    visit(this.#root, '')
    return found
  }

  /** Forgets what is below a name. */
  prune(name: string): void {
    let part: Part | undefined = this.#root
    for (const text of name.split('.')) part = part?.children.get(text)
    if (part === undefined) return
    for (const child of part.children.values())
      this.#size -= this.#countsObjects ? partsIn(child) : fieldsIn(child)
    part.children.clear()
  }
}

const newPart = (): Part => ({ children: new Map(), isField: false })

function fieldsIn({ children, isField }: Part): number {
  let fields = isField ? 1 : 0
  for (const child of children.values()) fields += fieldsIn(child)
  return fields
}

function partsIn({ children }: Part): number {
  let parts = 1
  for (const child of children.values()) parts += partsIn(child)
  return parts
}
