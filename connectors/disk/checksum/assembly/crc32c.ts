/**
 * CRC-32C (Castagnoli, reflected) of the bytes at INPUT, sixteen at a time: a table for each of their places tells
 * what a byte there does to the sum after all sixteen (slicing-by-16).
 */
const TABLES: usize = 0x1000
const TABLE_BYTES: usize = 256 * 4
const PLACES: u32 = 16
const POLYNOMIAL: u32 = 0x82f6_3b78
export const INPUT: i32 = 0x1_0000
export const INPUT_SIZE: i32 = 0x1_0000

/** Fills the tables; to be called once, first. */
export function prepare(): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let sum = byte
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? POLYNOMIAL : 0)
    store<u32>(TABLES + (byte << 2), sum)
  }
  for (let place: u32 = 1; place < PLACES; place++) {
    for (let byte: u32 = 0; byte < 256; byte++) {
      const before = at(place - 1, byte)
      store<u32>(TABLES + place * TABLE_BYTES + (byte << 2), (before >>> 8) ^ at(0, before))
    }
  }
}

/** The sum of the first `size` bytes at INPUT, where `sum` is that of what stood before them, or 0. */
export function crc32c(sum: u32, size: u32): u32 {
  let crc = ~sum
  let pos: usize = INPUT
  const end = pos + size
  for (; pos + 16 <= end; pos += 16) {
    const low = load<u64>(pos) ^ (crc as u64)
    const high = load<u64>(pos, 8)
    crc =
      four(12, low as u32) ^
      four(8, (low >>> 32) as u32) ^
      four(4, high as u32) ^
      four(0, (high >>> 32) as u32)
  }
  for (; pos < end; pos++) crc = at(0, crc ^ load<u8>(pos)) ^ (crc >>> 8)
  return ~crc
}

function four(place: u32, word: u32): u32 {
  return at(place + 3, word) ^ at(place + 2, word >>> 8) ^ at(place + 1, word >>> 16) ^ at(place, word >>> 24)
}

function at(place: u32, word: u32): u32 {
  return load<u32>(TABLES + place * TABLE_BYTES + ((word & 255) << 2))
}
