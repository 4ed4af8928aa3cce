import type { Batch } from '../pipe/batch.ts'
import { type Amount, recordsOf, type Tally } from '../pipe/tally.ts'
import { checksum } from './checksum.ts'

/**
 * A segment is a file that is written front to back by one process, and named after the time it was begun and a salt:
 * thirteen decimal digits (epoch milliseconds), `-`, six of a running number, `-`, sixteen hexadecimal ones, `.seg`.
 * Numbers are little-endian.
 *
 * ```
 * segment = entry*
 * entry   = state    4   zeros until the collector took or refused the batch, then 'DONE'
 *           magic    4   'SLSP'
 *           head crc 4   CRC-32 of the salt and of what follows up to the payload
 *           before   4   log records in the segment before this entry
 *           size     4   bytes of the payload
 *           crc      4   CRC-32 of the payload
 *           tallies  4   how many follow
 *           tally*       severity number u8, log records u32, bytes u32
 *           payload      an ExportLogsServiceRequest
 * ```
 *
 * The state is the only thing that is written over. Where an entry's head cannot be read, the next one is found by its
 * magic, and says how many records are missing. The salt keeps a payload that looks like an entry from being one.
 */
const MAGIC = Buffer.from('SLSP', 'latin1')
export const DONE = Buffer.from('DONE', 'latin1')

const MAGIC_AT = 4
const HEAD_CRC_AT = 8
const BEFORE_AT = 12
const SIZE_AT = 16
const CRC_AT = 20
const TALLIES_AT = 24
const HEAD_BYTES = 28
const TALLY_BYTES = 9
/** OTel has 24 severities, and unspecified. */
const MOST_TALLIES = 25
const MOST_U32 = 0xffff_ffff

const NAME = /^\d{13}-\d{6}-([0-9a-f]{16})\.seg$/

/** Segments sort by name in the order they were begun. */
export function segmentName(timeMs: number, number: number, salt: string): string {
  return `${String(timeMs).padStart(13, '0')}-${String(number % 1e6).padStart(6, '0')}-${salt}.seg`
}

/** The salt of a segment, or undefined for another file. */
export function saltOf(name: string): string | undefined {
  return NAME.exec(name)?.[1]
}

/** Bytes an entry of a batch takes. */
export function entrySize({ bytes, tally }: Batch): number {
  return HEAD_BYTES + TALLY_BYTES * tally.size + bytes.length
}

/** @param before Log records in the segment before this entry. */
export function encodeEntry({ bytes: payload, tally }: Batch, before: number, salt: string): Buffer {
  const headBytes = HEAD_BYTES + TALLY_BYTES * tally.size
  const bytes = Buffer.allocUnsafeSlow(headBytes + payload.length)
  bytes.fill(0, 0, MAGIC_AT)
  MAGIC.copy(bytes, MAGIC_AT)
  bytes.writeUInt32LE(before, BEFORE_AT)
  bytes.writeUInt32LE(payload.length, SIZE_AT)
  bytes.writeUInt32LE(checksum(payload), CRC_AT)
  bytes.writeUInt32LE(tally.size, TALLIES_AT)
  let at = HEAD_BYTES
  for (const [severity, amount] of tally) {
    at = bytes.writeUInt8(severity, at)
    at = bytes.writeUInt32LE(Math.min(MOST_U32, amount.records), at)
    at = bytes.writeUInt32LE(Math.min(MOST_U32, amount.bytes), at)
  }
  bytes.writeUInt32LE(headChecksum(bytes.subarray(BEFORE_AT, headBytes), salt), HEAD_CRC_AT)
  payload.copy(bytes, headBytes)
  return bytes
}

/** A batch in a segment. */
export interface StoredBatch extends Batch {
  /** Where its entry begins. */
  readonly offset: number
}

/** What a segment holds. */
export interface SegmentContents {
  /** Whole, and not done. */
  readonly batches: readonly StoredBatch[]
  /** Records that are known to have been there and cannot be read. */
  readonly lost: Tally
  /** Bytes that are no entries. */
  readonly unreadableBytes: number
}

/** Reads all that can be read of a segment, whatever became of its bytes. Payloads share its memory. */
export function readSegment(bytes: Buffer, salt: string): SegmentContents {
  const batches: StoredBatch[] = []
  const lost = new Map<number, Amount>()
  const lose = (severity: number, { records, bytes }: Amount): void => {
    const amount = lost.get(severity) ?? { records: 0, bytes: 0 }
    lost.set(severity, { records: amount.records + records, bytes: amount.bytes + bytes })
  }
  let unreadableBytes = 0
  let before = 0
  for (let at = 0; at < bytes.length; ) {
    const head = readHead(bytes, at, salt)
    if (head === undefined) {
      const next = findHead(bytes, at + 1, salt)
      unreadableBytes += next - at
      at = next
      continue
    }
    if (head.before > before) lose(0, { records: head.before - before, bytes: 0 })
    before = head.before + recordsOf(head.tally)
    const payload = bytes.subarray(head.payload, head.payload + head.size)
    const whole = payload.length === head.size && checksum(payload) === head.crc
    const done = bytes.subarray(at, at + DONE.length).equals(DONE)
    if (!done) {
      if (whole) {
        batches.push({ offset: at, bytes: payload, tally: head.tally, records: recordsOf(head.tally) })
      } else {
        for (const [severity, amount] of head.tally) lose(severity, amount)
        unreadableBytes += payload.length
      }
    }
    // What stands after a payload that was cut short or written over may be an entry again.
    at = whole || done ? head.payload + head.size : findHead(bytes, head.payload, salt)
  }
  return { batches, lost, unreadableBytes }
}

interface Head {
  readonly before: number
  readonly size: number
  readonly crc: number
  readonly tally: Tally
  /** Where the payload begins. */
  readonly payload: number
}

function readHead(bytes: Buffer, at: number, salt: string): Head | undefined {
  if (bytes.length - at < HEAD_BYTES || bytes.compare(MAGIC, 0, 4, at + MAGIC_AT, at + HEAD_CRC_AT) !== 0) {
    return undefined
  }
  const tallies = bytes.readUInt32LE(at + TALLIES_AT)
  const payload = at + HEAD_BYTES + TALLY_BYTES * tallies
  if (tallies > MOST_TALLIES || payload > bytes.length) return undefined
  const sum = headChecksum(bytes.subarray(at + BEFORE_AT, payload), salt)
  if (sum !== bytes.readUInt32LE(at + HEAD_CRC_AT)) return undefined
  const tally = new Map<number, Amount>()
  for (let entry = at + HEAD_BYTES; entry < payload; entry += TALLY_BYTES) {
    const records = bytes.readUInt32LE(entry + 1)
    tally.set(bytes[entry], { records, bytes: bytes.readUInt32LE(entry + 5) })
  }
  return {
    before: bytes.readUInt32LE(at + BEFORE_AT),
    size: bytes.readUInt32LE(at + SIZE_AT),
    crc: bytes.readUInt32LE(at + CRC_AT),
    tally,
    payload,
  }
}

/** Where the next readable entry begins, or the end. */
function findHead(bytes: Buffer, from: number, salt: string): number {
  let magic = bytes.indexOf(MAGIC, from + MAGIC_AT)
  while (magic !== -1) {
    if (readHead(bytes, magic - MAGIC_AT, salt) !== undefined) return magic - MAGIC_AT
    magic = bytes.indexOf(MAGIC, magic + 1)
  }
  return bytes.length
}

function headChecksum(head: Buffer, salt: string): number {
  return checksum(head, checksum(Buffer.from(salt, 'latin1')))
}
