import { readInt64 } from './any-value.ts'
import { AnyValue, KeyValue, LEN, LIST_ITEM, Record, Resource, Scope, WireReader } from './wire.ts'
import { WireWriter } from './wire-writer.ts'

/**
 * Gets every text of a message in turn, as latin1: one character a byte, so that patterns over ASCII work on
 * UTF-8 unchanged. Returns the text itself to leave it, or its replacement.
 */
export type RewriteText = (text: string) => string

/** What a message holds: the kind of each length-delimited field that texts can be in. */
interface Shape {
  readonly [tag: number]: 'text' | Shape
}

const KEY_VALUE: { [tag: number]: 'text' | Shape } = { [KeyValue.key]: 'text' }
const KVLIST: Shape = { [LIST_ITEM]: KEY_VALUE }
const ARRAY: { [tag: number]: 'text' | Shape } = {}
const ANY_VALUE: Shape = { [AnyValue.string]: 'text', [AnyValue.array]: ARRAY, [AnyValue.kvlist]: KVLIST }
ARRAY[LIST_ITEM] = ANY_VALUE
KEY_VALUE[KeyValue.value] = ANY_VALUE

/** Messages whose texts can be rewritten. */
export const SHAPES = {
  record: {
    [Record.severityText]: 'text',
    [Record.body]: ANY_VALUE,
    [Record.attributes]: KEY_VALUE,
    [Record.eventName]: 'text',
  },
  resource: { [Resource.attributes]: KEY_VALUE },
  scope: { [Scope.name]: 'text', [Scope.version]: 'text', [Scope.attributes]: KEY_VALUE },
} as const satisfies { readonly [name: string]: Shape }

/** What is looked at in a message. */
export interface Suspects {
  /** Positions in the bytes, in order, where a text may be to rewrite; undefined: look at all texts. */
  readonly positions: Int32Array | undefined
  /** Whether to look at whole numbers too. */
  readonly integers: boolean
}

export const EVERYTHING: Suspects = { positions: undefined, integers: true }

const writer = new WireWriter(4096)

/**
 * Rewrites the suspect texts of a checked message, keys included, at any depth. A whole number of ten digits or more
 * is offered as text too, and becomes a text when it is replaced.
 * @returns the new message, or undefined where nothing changed
 */
export function rewriteMessage(
  bytes: Buffer,
  start: number,
  end: number,
  shape: Shape,
  rewrite: RewriteText,
  suspects: Suspects,
): Buffer | undefined {
  writer.pos = 0
  const changed = rewriteFields(new WireReader(bytes, start), end, shape, rewrite, suspects)
  return changed ? writer.copyOut() : undefined
}

const LONG_INT_BYTES = 5

function rewriteFields(
  reader: WireReader,
  end: number,
  shape: Shape,
  rewrite: RewriteText,
  suspects: Suspects,
): boolean {
  const bytes = reader.bytes
  let changed = false
  while (reader.pos < end) {
    const field = reader.pos
    const tag = reader.tag(end)
    const inner = (tag & 7) === LEN ? shape[tag] : undefined
    if (inner === undefined) {
      const value = reader.pos
      reader.skip(tag, end)
      const digits =
        shape === ANY_VALUE && tag === AnyValue.int && reader.pos - value >= LONG_INT_BYTES
          ? readInt64(new WireReader(bytes, value), end).toString()
          : ''
      const replaced = digits === '' ? digits : rewrite(digits)
      if (replaced === digits) {
        writer.copy(bytes, field, reader.pos)
      } else {
        writer.text(AnyValue.string, replaced, 'latin1')
        changed = true
      }
      continue
    }
    const stop = reader.length(end)
    const suspect = hasPosition(suspects.positions, reader.pos, stop)
    if (inner === 'text') {
      const text = suspect ? bytes.toString('latin1', reader.pos, stop) : ''
      const replaced = suspect ? rewrite(text) : text
      if (replaced === text) {
        writer.copy(bytes, field, stop)
      } else {
        writer.text(tag, replaced, 'latin1')
        changed = true
      }
      reader.pos = stop
    } else if (suspect || suspects.integers) {
      const mark = writer.open(tag)
      if (rewriteFields(reader, stop, inner, rewrite, suspects)) changed = true
      writer.close(mark)
    } else {
      writer.copy(bytes, field, stop)
      reader.pos = stop
    }
  }
  return changed
}

/** Whether one of the positions, which are in order, lies in `[start, end)`. */
function hasPosition(positions: Int32Array | undefined, start: number, end: number): boolean {
  if (positions === undefined) return true
  let low = 0
  let high = positions.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (positions[middle] < start) low = middle + 1
    else high = middle
  }
  return low < positions.length && positions[low] < end
}
