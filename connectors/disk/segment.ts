import { crc32 } from 'node:zlib'
import type { Element } from '../../src/buffer/group-commit.ts'
import { crc32c } from './checksum/crc32c.ts'
import { BYTES_BEFORE, POSITION_BYTES, type Position, readPosition, writePosition } from './position.ts'

/**
 * A log is a folder of segment files. Each is written front to back, once, by one run of the process, and named
 * after the number of its first element: sixteen decimal digits and `.seg`. Numbers are little-endian.
 *
 * ```
 * segment  = header record*
 * header   = magic     8   'SLUICE', 0, version 2
 *            position 24   what the log held before this segment: elements u64, records u64, bytes u64
 *            crc       4   CRC-32C of the 32 bytes before
 * record   = length    4   of all that follows the crc
 *            crc       4   CRC-32C of all that follows it
 *            position 24   what the log held before this element; its elements are the element's number
 *            time      8   when it was appended, epoch milliseconds, u64
 *            records   4   log records in the element
 *            payload       the element: an ExportLogsServiceRequest, plain or as a zstd frame
 * ```
 *
 * Every record says how much came before it. So what is missing can be told exactly, what a reader has still to
 * read is a subtraction, and where a segment is damaged, the next record is found by where it says it is. A record
 * whose number is that of a later segment's first, or higher, does not count: its write failed, and what it held was
 * written again or refused.
 *
 * Version 1 is the same with CRC-32 (zlib's), and is still read. On elements of 200 KB that one is sure to notice two
 * flipped bits, CRC-32C three, for about 0.1 µs more a log record: docs/decisions/0008-a-segment-log-of-our-own.md.
 */
const MAGIC = Buffer.from('SLUICE\0', 'latin1')
const VERSION = 2
const MAGIC_BYTES = MAGIC.length + 1
const HEADER_CRC = MAGIC_BYTES + POSITION_BYTES
export const HEADER_BYTES = HEADER_CRC + 4

/** What stands before the bytes that `length` and `crc` are about. */
const PREFIX_BYTES = 8
const TIME = PREFIX_BYTES + POSITION_BYTES
const RECORDS = TIME + 8
export const RECORD_HEADER_BYTES = RECORDS + 4

/** The sum of `bytes`, where `sum` is that of what stood before them. */
type Checksum = (bytes: Buffer, sum?: number) => number

/** By version of the segment. */
const CHECKSUMS: Readonly<Record<number, Checksum | undefined>> = { 1: crc32, 2: crc32c }

const NAME = /^\d{16}\.seg$/

/** A record that was read back whole. */
export interface StoredElement {
  readonly kind: 'element'
  /** Where in the log it stands, and where it ends. */
  readonly position: Position
  readonly end: Position
  readonly timeMs: number
  readonly records: number
  readonly payload: Buffer
}

export function segmentName(first: number): string {
  return `${String(first).padStart(16, '0')}.seg`
}

/** The number of a segment's first element, or undefined for another file. */
export function segmentFirst(name: string): number | undefined {
  return NAME.test(name) ? Number(name.slice(0, 16)) : undefined
}

export function encodeHeader(position: Position): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  MAGIC.copy(header)
  header[MAGIC.length] = VERSION
  writePosition(header, MAGIC_BYTES, position)
  header.writeUInt32LE(crc32c(header.subarray(0, HEADER_CRC)), HEADER_CRC)
  return header
}

export interface SegmentHeader {
  readonly version: number
  /** Where the segment begins. */
  readonly position: Position
}

/** Undefined when the header is not whole. */
export function decodeHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined
  const version = bytes[MAGIC.length]
  const checksum = CHECKSUMS[version]
  if (bytes.readUInt32LE(HEADER_CRC) !== checksum?.(bytes.subarray(0, HEADER_CRC))) return undefined
  return { version, position: readPosition(bytes, MAGIC_BYTES) }
}

/** What stands before the payload of an element in its record. */
export function encodeRecordHeader(position: Position, timeMs: number, { bytes, records }: Element): Buffer {
  const header = Buffer.allocUnsafe(RECORD_HEADER_BYTES)
  header.writeUInt32LE(RECORD_HEADER_BYTES - PREFIX_BYTES + bytes.length, 0)
  writePosition(header, PREFIX_BYTES, position)
  header.writeBigUInt64LE(BigInt(timeMs), TIME)
  header.writeUInt32LE(records, RECORDS)
  header.writeUInt32LE(crc32c(bytes, crc32c(header.subarray(PREFIX_BYTES))), 4)
  return header
}

/** Where the log stands after an element at `position`. */
export function positionAfter(position: Position, { bytes, records }: Element): Position {
  return {
    elements: position.elements + 1,
    records: position.records + records,
    bytes: position.bytes + RECORD_HEADER_BYTES + bytes.length,
  }
}

/** The size of the record that begins at `at`, by its own word; 0 where none of that size fits into `room`. */
export function recordSize(bytes: Buffer, at: number, room: number): number {
  const size = PREFIX_BYTES + bytes.readUInt32LE(at)
  return size < RECORD_HEADER_BYTES || size > room ? 0 : size
}

/** Whether what begins at `at` says that `logBytes` of the log lie before it, as a record there must. */
export function isPlacedAt(bytes: Buffer, at: number, logBytes: number): boolean {
  const place = at + PREFIX_BYTES + BYTES_BEFORE
  return (
    bytes.readUInt32LE(place) === logBytes % 2 ** 32 &&
    bytes.readUInt32LE(place + 4) === Math.floor(logBytes / 2 ** 32)
  )
}

/** The record that fills `bytes`, or undefined when it is not whole. Without a version, either checksum is taken. */
export function decodeRecord(bytes: Buffer, version: number | undefined): StoredElement | undefined {
  const checksums = version === undefined ? Object.values(CHECKSUMS) : [CHECKSUMS[version]]
  const content = bytes.subarray(PREFIX_BYTES)
  const sum = bytes.readUInt32LE(4)
  if (!checksums.some((checksum) => checksum?.(content) === sum)) return undefined
  const position = readPosition(bytes, PREFIX_BYTES)
  const records = bytes.readUInt32LE(RECORDS)
  const payload = bytes.subarray(RECORD_HEADER_BYTES)
  const end = positionAfter(position, { bytes: payload, records })
  return { kind: 'element', position, end, timeMs: Number(bytes.readBigUInt64LE(TIME)), records, payload }
}

/** Whether the last `room` bytes of a segment are a record that was being written: by its own word it is longer. */
export function isTorn(bytes: Buffer, room: number): boolean {
  return room < RECORD_HEADER_BYTES || PREFIX_BYTES + bytes.readUInt32LE(0) > room
}
