import { KEYS } from './memory'

/** Of an object with more, finding the key that is there twice is left to TypeScript, which hashes them. */
const MAX_KEYS: i32 = 64

/** Keys of the objects being written, those inside after those around them. */
export let keyCount: i32 = 0

/** Forgets all keys but the first `count`. */
export function dropKeys(count: i32): void {
  keyCount = count
}

/** Notes a key, of an object whose keys begin at `mark`; false when that has too many. */
export function noteKey(mark: i32, start: i32, end: i32): bool {
  if (keyCount - mark === MAX_KEYS) return false
  const key = KEYS + (keyCount++ << 3)
  store<i32>(key, start)
  store<i32>(key, end - start, 4)
  return true
}

/** Whether the object whose keys begin at `mark` has the key. */
export function hasKey(mark: i32, start: i32, end: i32): bool {
  const size = end - start
  for (let i = mark; i < keyCount; i++) {
    const key = KEYS + (i << 3)
    if (load<i32>(key, 4) === size && memory.compare(load<i32>(key), start, size) === 0) return true
  }
  return false
}

/** One of 64 bits; keys with different ones differ. */
export function keyBit(start: i32, end: i32): u64 {
  if (start === end) return 1
  const sum =
    <i32>load<u8>(start) * 3 + <i32>load<u8>(end - 1) * 5 + <i32>load<u8>((start + end) >> 1) + end - start
  return (<u64>1) << (sum & 63)
}
