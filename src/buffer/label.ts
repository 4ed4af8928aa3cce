import { FIXED32, FIXED64, LEN, VARINT, WireReader } from '../logs/wire.ts'
import { WireWriter } from '../logs/wire-writer.ts'

/**
 * What a buffer writes ahead of an element that was not delivered at once: how often that was tried, and why it was
 * given up. Other tools pass over it: before a zstd frame it is a skippable frame (RFC 8878, section 3.1.2) with
 * the magic number 0x184D2A5E, before anything else a field that OTLP does not use.
 *
 * ```proto
 * message Label {                  // field 2001 of ExportLogsServiceRequest
 *   uint32  deliveries = 1;        // always there and below 128, so that Redis can read it by its place
 *   fixed32 records    = 2;        // always there; 0 where nobody has looked
 *   uint32  foreign    = 3;        // always there; 1: another tool put the element in
 *   string  reason     = 5;        // dead letters only, as in the envelope: why
 *   string  pipeline   = 6;        // where
 *   fixed64 buried_ms  = 7;        // when
 *   string  stream     = 8;        // out of which stream
 * }
 * ```
 */
interface Label {
  /** How often the element was handed out without success. */
  readonly deliveries: number
  readonly records: number
  readonly letter?: Letter
}

/** Why, where and when an element became a dead letter as it was. */
interface Letter {
  readonly reason: string
  readonly pipeline: string
  readonly buriedMs: number
  readonly stream: string
}

const SKIPPABLE_MAGIC = 0x184d2a5e
/** The tag of field 2001, length-delimited, as it is written. */
const FIELD_BYTES = [0x8a, 0x7d]

const DELIVERIES = (1 << 3) | VARINT
const RECORDS = (2 << 3) | FIXED32
const REASON = (5 << 3) | LEN
const PIPELINE = (6 << 3) | LEN
const BURIED = (7 << 3) | FIXED64
const STREAM = (8 << 3) | LEN

/** The element without labels, and what the first one says. */
export function readLabel(element: Buffer): { readonly label: Label | undefined; readonly content: Buffer } {
  const first = labelAt(element)
  let content = element
  for (let at = first; at !== undefined; at = labelAt(content)) content = content.subarray(at.end)
  return { label: first && readMessage(element, first.start, first.end), content }
}

/** The part of a label that tells of its burial. */
export function writeLetter({ reason, pipeline, buriedMs, stream }: Letter): Buffer {
  const writer = new WireWriter(256)
  writer.text(REASON, reason)
  writer.text(PIPELINE, pipeline)
  writer.varint(BURIED)
  writer.fixed64(BigInt(buriedMs))
  writer.text(STREAM, stream)
  return writer.take()
}

/** Where the message of a label lies that the bytes begin with. */
function labelAt(bytes: Buffer): { readonly start: number; readonly end: number } | undefined {
  if (bytes.length >= 8 && bytes.readUInt32LE(0) === SKIPPABLE_MAGIC) {
    const end = 8 + bytes.readUInt32LE(4)
    return end <= bytes.length ? { start: 8, end } : undefined
  }
  if (bytes[0] !== FIELD_BYTES[0] || bytes[1] !== FIELD_BYTES[1]) return undefined
  try {
    const reader = new WireReader(bytes)
    reader.tag(bytes.length)
    const end = reader.length(bytes.length)
    return { start: reader.pos, end }
  } catch {
    return undefined
  }
}

function readMessage(bytes: Buffer, start: number, end: number): Label | undefined {
  const reader = new WireReader(bytes, start)
  const label = { deliveries: 0, records: 0 }
  const letter = { reason: '', pipeline: '', buriedMs: 0, stream: '' }
  const text = (): string => {
    const stop = reader.length(end)
    const slice = bytes.toString('utf8', reader.pos, stop)
    reader.pos = stop
    return slice
  }
  try {
    while (reader.pos < end) {
      const tag = reader.tag(end)
      if (tag === DELIVERIES) label.deliveries = reader.varint(end)
      else if (tag === RECORDS) {
        reader.fixed(4, end)
        label.records = bytes.readUInt32LE(reader.pos - 4)
      } else if (tag === REASON) letter.reason = text()
      else if (tag === PIPELINE) letter.pipeline = text()
      else if (tag === BURIED) {
        reader.fixed(8, end)
        letter.buriedMs = Number(bytes.readBigUInt64LE(reader.pos - 8))
      } else if (tag === STREAM) letter.stream = text()
      else reader.skip(tag, end)
    }
  } catch {
    // A skippable frame of another tool.
    return undefined
  }
  return letter.reason === '' ? label : { ...label, letter }
}
