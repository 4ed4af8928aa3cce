import type { JsonWriter } from '../../../src/logs/ndjson/json-writer.ts'
import type { MappingMode } from '../../../src/logs/ndjson/mapping.ts'
import type { FieldWatchConfig } from './config.ts'
import { WatchedStream } from './watched-stream.ts'

/** What is told of data streams that get too many fields. */
export interface FieldWatchEvents {
  /** A data stream is watched from now on; `fields` reads how many different fields were seen. */
  watched(name: string, fields: () => number): void
  /** There are too many fields, most of them below one name. */
  exploding(explosion: Explosion): void
  /** No more data streams are watched than so many. */
  full(streams: number): void
}

/** Whether the config says so, or the attributes themselves gave rise to it. */
export type MoveReason = 'configured' | 'exploding'

export interface Explosion {
  readonly stream: string
  /** Of the fields seen. */
  readonly fields: number
  /** The name that has the most below it, `attributes.user.*`. */
  readonly prefix: string
  /** How many different parts follow it. */
  readonly children: number
  /** What is below it goes into one field from now on. */
  readonly isMoved: boolean
}

/** Each is a series of the gauge, and a tree of names. */
const MAX_STREAMS = 100

/**
 * Watches which fields the documents of each data stream have, and moves attributes whose names are made of data into
 * one field. It looks at finished documents, so at what Elasticsearch will see, whatever the mapping mode: at one of
 * {@link WatchedStream.MAX_PAUSE} while nothing is new, at each as long as there is.
 */
export class FieldWatch {
  readonly #config: FieldWatchConfig
  readonly #events: FieldWatchEvents
  /** By data stream, one for each mapping mode. */
  readonly #streams = new Map<string, WatchedStream[]>()
  readonly #byTarget = new WeakMap<object, WatchedStream>()
  #moved = new Map<MoveReason, number>()
  #isFull = false

  constructor(config: FieldWatchConfig, events: FieldWatchEvents) {
    this.#config = config
    this.#events = events
  }

  /** Announces documents of a mode for a target. */
  enter(target: { readonly index: string }, mode: MappingMode): void {
    if (this.#byTarget.has(target)) return
    const name = target.index
    let streams = this.#streams.get(name)
    if (streams === undefined) {
      if (this.#streams.size >= MAX_STREAMS) {
        if (!this.#isFull) this.#events.full(MAX_STREAMS)
        this.#isFull = true
        return
      }
      const all: WatchedStream[] = (streams = [])
      this.#streams.set(name, all)
      this.#events.watched(name, () => Math.max(...all.map(({ fields }) => fields)))
    }
    let stream = streams.find((other) => other.mode === mode)
    if (stream === undefined) {
      stream = new WatchedStream(name, mode, this.#config, {
        exploding: (explosion) => this.#events.exploding(explosion),
        moved: (reason, attributes) => this.#moved.set(reason, (this.#moved.get(reason) ?? 0) + attributes),
      })
      streams.push(stream)
    }
    this.#byTarget.set(target, stream)
  }

  /** Looks at the document that `out` holds from `start` on, and may write it anew. */
  document(target: object, out: JsonWriter, start: number): void {
    this.#byTarget.get(target)?.document(out, start)
  }

  /** What is wrong with fields, for health; undefined when nothing is. */
  get problem(): string | undefined {
    for (const streams of this.#streams.values()) {
      for (const { problem } of streams) if (problem !== undefined) return problem
    }
    return undefined
  }

  /** How many attributes were moved into one field since the last call, by the reason for it. */
  takeMoved(): ReadonlyMap<MoveReason, number> {
    const moved = this.#moved
    if (moved.size > 0) this.#moved = new Map()
    return moved
  }
}
