import { Buffer } from 'node:buffer'

/** Attributes that many records have, encoded once: the bindings of a child logger, the attributes of a context. */
export interface AttributeBlock {
  readonly keys: readonly string[]
  /** Where in `bytes` the attribute of each key ends. */
  readonly ends: readonly number[]
  readonly bytes: Uint8Array
}

/** `block` with the attributes of `over`, which take the place of those with the same key. */
export function mergeBlocks(block: AttributeBlock | undefined, over: AttributeBlock): AttributeBlock {
  if (block === undefined) return over
  const keys: string[] = []
  const ends: number[] = []
  const parts: Uint8Array[] = []
  let size = 0
  const add = (from: AttributeBlock, index: number): void => {
    const part = from.bytes.subarray(index === 0 ? 0 : from.ends[index - 1], from.ends[index])
    size += part.length
    keys.push(from.keys[index])
    ends.push(size)
    parts.push(part)
  }
  for (let i = 0; i < block.keys.length; i++) if (!over.keys.includes(block.keys[i])) add(block, i)
  for (let i = 0; i < over.keys.length; i++) add(over, i)
  return { keys, ends, bytes: Buffer.concat(parts) }
}
