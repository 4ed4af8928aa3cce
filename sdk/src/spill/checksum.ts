import * as zlib from 'node:zlib'

/** CRC-32 of `bytes`, zlib's; `sum` is that of what stood before them. */
export type Checksum = (bytes: Buffer, sum?: number) => number

const POLYNOMIAL = 0xedb8_8320
const TABLES = 8

/** Node 18 has none of its own. */
export const checksum: Checksum =
  'crc32' in zlib ? (bytes, sum = 0) => zlib.crc32(bytes, sum) : portableChecksum

/** The same in plain JavaScript, eight bytes at a time: what a byte there does to the sum stands in a table for each place. */
export function portableChecksum(bytes: Buffer, sum = 0): number {
  const t = (tables ??= makeTables())
  let crc = ~sum
  let at = 0
  for (; at + 8 <= bytes.length; at += 8) {
    crc ^= bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
    crc =
      t[0x700 | (crc & 0xff)] ^
      t[0x600 | ((crc >>> 8) & 0xff)] ^
      t[0x500 | ((crc >>> 16) & 0xff)] ^
      t[0x400 | (crc >>> 24)] ^
      t[0x300 | bytes[at + 4]] ^
      t[0x200 | bytes[at + 5]] ^
      t[0x100 | bytes[at + 6]] ^
      t[bytes[at + 7]]
  }
  for (; at < bytes.length; at++) crc = t[(crc ^ bytes[at]) & 0xff] ^ (crc >>> 8)
  return ~crc >>> 0
}

let tables: Int32Array | undefined

function makeTables(): Int32Array {
  const made = new Int32Array(TABLES * 0x100)
  for (let byte = 0; byte < 0x100; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0)
    made[byte] = crc
  }
  for (let at = 0x100; at < made.length; at++) {
    const before = made[at - 0x100]
    made[at] = made[before & 0xff] ^ (before >>> 8)
  }
  return made
}
