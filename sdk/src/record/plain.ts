import type { Limits } from '../options/settings.ts'
import { describeError, isError } from './error.ts'
import { CIRCULAR, DEEP_ARRAY, DEEP_OBJECT, more, REST, THROWS } from './markers.ts'
import { read } from './read.ts'
import type { PathState } from './redact/paths.ts'
import type { Redaction } from './redact/redaction.ts'

/** Values of one text; more would be cut from it anyway. */
const MAX_VALUES = 10_000

/** A value as JSON for a message, with the same limits, markers and redaction as attributes have. Never throws. */
export function jsonText(value: unknown, limits: Limits, redaction: Redaction): string {
  try {
    return JSON.stringify(new Plain(limits, redaction).of(value, redaction.root)) ?? String(value)
  } catch {
    return THROWS
  }
}

/** Makes copies of values that `JSON.stringify` takes without any surprise. */
class Plain {
  readonly #limits: Limits
  readonly #redaction: Redaction
  readonly #ancestors: object[] = []
  readonly #path: string[] = []
  #left = MAX_VALUES

  constructor(limits: Limits, redaction: Redaction) {
    this.#limits = limits
    this.#redaction = redaction
  }

  of(value: unknown, state: PathState | undefined): unknown {
    this.#left--
    if (typeof value === 'bigint' || typeof value === 'symbol') return String(value)
    if (typeof value === 'function') return `[Function: ${String(read(value, 'name'))}]`
    if (typeof value !== 'object' || value === null) return value
    if (this.#ancestors.includes(value)) return CIRCULAR
    const depth = this.#ancestors.length
    const pathDepth = this.#path.length
    this.#ancestors.push(value)
    try {
      return this.#object(value, state)
    } catch {
      return THROWS
    } finally {
      this.#ancestors.length = depth
      this.#path.length = pathDepth
    }
  }

  #object(value: object, state: PathState | undefined): unknown {
    const isDeep = this.#ancestors.length > this.#limits.depth
    if (Array.isArray(value)) return isDeep ? DEEP_ARRAY : this.#array(value, value.length, state)
    if (isError(value)) return isDeep ? DEEP_OBJECT : this.#entries(describeError(value), state)
    if (value instanceof Map) return isDeep ? DEEP_OBJECT : this.#entries(Object.fromEntries(value), state)
    if (value instanceof Set) return isDeep ? DEEP_ARRAY : this.#array(value, value.size, state)
    if (value instanceof RegExp) return String(value)
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
    if (isDeep) return DEEP_OBJECT
    const toJson: unknown = (value as { toJSON?: unknown }).toJSON
    return typeof toJson === 'function' ? this.of(toJson.call(value, ''), state) : this.#entries(value, state)
  }

  #array(values: Iterable<unknown>, length: number, parent: PathState | undefined): unknown[] {
    const copy: unknown[] = []
    for (const value of values) {
      if (this.#isFull(copy.length)) {
        copy.push(more(length - copy.length))
        break
      }
      const index = copy.length
      copy.push(this.#child(String(index), value, parent?.element(index)))
    }
    return copy
  }

  #entries(value: object, parent: PathState | undefined): Record<string, unknown> {
    const copy = new Map<string, unknown>()
    const keys = Object.keys(value)
    for (const key of keys) {
      if (this.#isFull(copy.size)) {
        copy.set(REST, more(keys.length - copy.size))
        break
      }
      copy.set(key, this.#child(key, read(value, key), parent?.next(key)))
    }
    return Object.fromEntries(copy)
  }

  #child(key: string, value: unknown, state: PathState | undefined): unknown {
    if (state === undefined) return this.of(value, undefined)
    this.#path.push(key)
    const left = state.redacts ? this.#redaction.censored(value, this.#path) : value
    const copy = this.of(left, state.redacts ? undefined : state)
    this.#path.pop()
    return copy
  }

  #isFull(count: number): boolean {
    return count === this.#limits.elements || this.#left <= 0
  }
}
