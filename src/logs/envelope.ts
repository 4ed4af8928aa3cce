import { FIXED64, LEN, WireReader } from './wire.ts'
import type { WireWriter } from './wire-writer.ts'

/**
 * What Sluice adds to a request in a buffer: one message in a field that OTLP does not use and decoders skip,
 * ahead of the ResourceLogs it is about. It holds until the next envelope, so that putting elements
 * one after the other still gives a valid request with every record's identity intact.
 *
 * ```proto
 * message Envelope {                        // field 2000 of ExportLogsServiceRequest
 *   bytes   id             = 1;             // time prefix and batch id, 22 bytes: see identity.ts
 *   fixed64 observed_ms    = 2;             // oldest observed time in the request, epoch milliseconds
 *   fixed64 received_ms    = 3;             // when the gateway got it, epoch milliseconds
 *   repeated uint64 runs   = 4 [packed];    // first position, then kept, skipped, kept, … counts
 *   string  reason         = 5;             // dead letters only: why it was refused
 *   string  pipeline       = 6;             // dead letters only: where
 *   fixed64 buried_ms      = 7;             // dead letters only: when
 *   fixed64 last_buried_ms = 8;             // what came back from there: when it had been buried
 *   string  tenant         = 9;             // whose records they are, by the credential they came with
 * }
 * ```
 */
export interface Envelope {
  readonly id: Uint8Array
  readonly observedMs: number
  readonly receivedMs: number
  /** First position, then alternating counts of kept and skipped positions of the request as received. */
  readonly runs: readonly number[]
  readonly letter?: { readonly reason: string; readonly pipeline: string; readonly buriedMs: number }
  /** When the records were buried that have been replayed since: what tells one burial from the next. */
  readonly lastBuriedMs?: number
  /** Whose records they are, by the credential that they came with. */
  readonly tenant?: string
}

const FIELD_NUMBER = 2000
export const ENVELOPE = (FIELD_NUMBER << 3) | LEN

const ID = (1 << 3) | LEN
const OBSERVED = (2 << 3) | FIXED64
const RECEIVED = (3 << 3) | FIXED64
const RUNS = (4 << 3) | LEN
const REASON = (5 << 3) | LEN
const PIPELINE = (6 << 3) | LEN
const BURIED = (7 << 3) | FIXED64
const LAST_BURIED = (8 << 3) | FIXED64
const TENANT = (9 << 3) | LEN

/** Writes the envelope as a field of the request. */
export function writeEnvelope(writer: WireWriter, envelope: Envelope): void {
  const start = writer.open(ENVELOPE)
  writer.field(ID, envelope.id)
  writer.varint(OBSERVED)
  writer.fixed64(BigInt(envelope.observedMs))
  writer.varint(RECEIVED)
  writer.fixed64(BigInt(envelope.receivedMs))
  const runs = writer.open(RUNS)
  for (const count of envelope.runs) writer.varint(count)
  writer.close(runs)
  if (envelope.letter !== undefined) {
    writer.text(REASON, envelope.letter.reason)
    writer.text(PIPELINE, envelope.letter.pipeline)
    writer.varint(BURIED)
    writer.fixed64(BigInt(envelope.letter.buriedMs))
  }
  if (envelope.lastBuriedMs !== undefined) {
    writer.varint(LAST_BURIED)
    writer.fixed64(BigInt(envelope.lastBuriedMs))
  }
  if (envelope.tenant !== undefined) writer.text(TENANT, envelope.tenant)
  writer.close(start)
}

/** Reads the envelope that lies at `[start, end)`; unknown fields are skipped, for those of later versions. */
export function readEnvelope(bytes: Buffer, start: number, end: number): Envelope {
  const reader = new WireReader(bytes, start)
  let id: Uint8Array = Buffer.alloc(0)
  let observedMs = 0
  let receivedMs = 0
  let reason: string | undefined
  let pipeline = ''
  let buriedMs = 0
  let lastBuriedMs: number | undefined
  let tenant: string | undefined
  const runs: number[] = []
  const milliseconds = (): number => {
    reader.fixed(8, end)
    return Number(bytes.readBigUInt64LE(reader.pos - 8))
  }
  const content = (): Buffer => {
    const stop = reader.length(end)
    const slice = bytes.subarray(reader.pos, stop)
    reader.pos = stop
    return slice
  }
  while (reader.pos < end) {
    const tag = reader.tag(end)
    if (tag === ID) id = content()
    else if (tag === OBSERVED) observedMs = milliseconds()
    else if (tag === RECEIVED) receivedMs = milliseconds()
    else if (tag === RUNS) {
      const stop = reader.length(end)
      while (reader.pos < stop) runs.push(reader.varint(stop))
    } else if (tag === REASON) reason = content().toString()
    else if (tag === PIPELINE) pipeline = content().toString()
    else if (tag === BURIED) buriedMs = milliseconds()
    else if (tag === LAST_BURIED) lastBuriedMs = milliseconds()
    else if (tag === TENANT) tenant = content().toString()
    else reader.skip(tag, end)
  }
  return {
    id,
    observedMs,
    receivedMs,
    runs,
    ...(reason !== undefined && { letter: { reason, pipeline, buriedMs } }),
    ...(lastBuriedMs !== undefined && { lastBuriedMs }),
    ...(tenant !== undefined && { tenant }),
  }
}

/** The envelope that the bytes of an encoded batch begin with. Throws MalformedError where there is none. */
export function firstEnvelope(bytes: Buffer): Envelope {
  const reader = new WireReader(bytes)
  if (reader.tag(bytes.length) !== ENVELOPE) throw reader.malformed('no envelope')
  const end = reader.length(bytes.length)
  return readEnvelope(bytes, reader.pos, end)
}
