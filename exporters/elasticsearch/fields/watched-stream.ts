import type { JsonWriter } from '../../../src/logs/ndjson/json-writer.ts'
import type { MappingMode } from '../../../src/logs/ndjson/mapping.ts'
import type { FieldWatchConfig } from './config.ts'
import { fieldNames } from './field-names.ts'
import { FieldTree } from './field-tree.ts'
import type { Explosion, MoveReason } from './field-watch.ts'
import { Moved, moveAttributes, OVERFLOW, type OverflowShape } from './overflow.ts'

/** Names are learned up to so many times the limit. */
const CAPACITY = 4
/** A branch is made of data only if it has this share of the limit: a wide one, not the widest of many slim ones. */
const WIDE = 1 / 8
/** Every document is searched for each. */
const MAX_MOVED = 20
/** Maps in bodies have a field that takes any keys. */
const BODY = 'body.structured'

interface StreamEvents {
  exploding(explosion: Explosion): void
  moved(reason: MoveReason, attributes: number): void
}

/** The fields of one data stream, in one mapping mode. */
export class WatchedStream {
  /** Of so many documents, one is looked at while nothing is new. */
  static readonly MAX_PAUSE = 256

  readonly name: string
  readonly mode: MappingMode
  readonly #config: FieldWatchConfig
  readonly #events: StreamEvents
  readonly #shape: OverflowShape | undefined
  readonly #opaque: ReadonlySet<string>
  readonly #tree: FieldTree
  readonly #reasons = new Map<string, MoveReason>()
  #moved: readonly Moved[] = []
  /** Documents to pass over, and how many were passed over last. */
  #left = 0
  #pause = 0
  /** The number of fields that is spoken of next. */
  #threshold: number
  #problem: string | undefined

  constructor(name: string, mode: MappingMode, config: FieldWatchConfig, events: StreamEvents) {
    this.name = name
    this.mode = mode
    this.#config = config
    this.#events = events
    this.#threshold = config.limit
    this.#tree = new FieldTree(config.limit * CAPACITY, mode === 'ecs')
    this.#shape = OVERFLOW[mode]
    this.#opaque = new Set([BODY, ...(this.#shape ? [this.#shape.field] : [])])
    for (const pattern of config.flatten) this.#move(pattern.slice(0, -'.*'.length), 'configured')
  }

  /** How many different fields were seen, less those that have moved. */
  get fields(): number {
    return this.#tree.size
  }

  get problem(): string | undefined {
    return this.#problem
  }

  document(out: JsonWriter, start: number): void {
    if (this.#moved.length > 0) this.#rewrite(out, start)
    if (this.#left > 0) {
      this.#left--
      return
    }
    let isNew = false
    const names = fieldNames(out.bytes.subarray(start, out.pos), this.#opaque)
    for (const name of names) if (this.#tree.add(name)) isNew = true
    this.#pause = isNew ? 0 : Math.min(WatchedStream.MAX_PAUSE - 1, this.#pause * 2 + 1)
    this.#left = this.#pause
    if (isNew && this.#tree.size > this.#threshold) this.#explode()
  }

  #rewrite(out: JsonWriter, start: number): void {
    const result = moveAttributes(out.bytes, start, out.pos, this.#moved, this.#shape as OverflowShape)
    if (result === undefined) return
    out.pos = start
    out.reserve(result.document.length)
    out.raw(result.document)
    for (const [prefix, attributes] of result.moved) {
      this.#events.moved(this.#reasons.get(prefix) as MoveReason, attributes)
    }
  }

  #explode(): void {
    const { limit, action } = this.#config
    const fields = this.#tree.size
    const candidate = action === 'flatten' ? this.#tree.widest((name) => this.#canMove(name)) : undefined
    const hasRoom = this.#reasons.size < MAX_MOVED + this.#config.flatten.length
    if (candidate !== undefined && candidate.children >= limit * WIDE && hasRoom) {
      this.#move(this.#attributeName(candidate.name), 'exploding')
      this.#tree.prune(candidate.name)
      this.#tell(fields, candidate, true)
      return
    }
    this.#threshold *= 2
    const widest = this.#tree.widest()
    if (widest === undefined) return
    const { prefix, children } = this.#tell(fields, widest, false)
    this.#problem = `${this.name} has more than ${limit} fields: ${children} different names below ${prefix}`
  }

  #tell(fields: number, { name, children }: { name: string; children: number }, isMoved: boolean): Explosion {
    const prefix = name === '' ? '*' : `${name}.*`
    const explosion = { stream: this.name, fields, prefix, children, isMoved }
    this.#events.exploding(explosion)
    return explosion
  }

  #canMove(name: string): boolean {
    const shape = this.#shape
    if (shape === undefined) return false
    const { container, own } = shape
    if (container !== '') return name.startsWith(`${container}.`)
    return name !== '' && !own.has(name.split('.')[0])
  }

  /** The name of a field as that of an attribute. */
  #attributeName(name: string): string {
    const container = this.#shape?.container
    return container ? name.slice(container.length + 1) : name
  }

  /** What is below a name that has moved has moved with it. */
  #move(name: string, reason: MoveReason): void {
    if (this.#shape === undefined || this.#moved.some((other) => `${name}.`.startsWith(`${other.name}.`)))
      return
    this.#moved = [
      ...this.#moved.filter((other) => !`${other.name}.`.startsWith(`${name}.`)),
      new Moved(name, this.#shape),
    ]
    this.#reasons.set(name, reason)
  }
}
