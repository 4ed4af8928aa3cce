import { type BatchData, firstRecordOf, resourceCount, scopeCount } from './data.ts'
import { type Envelope, writeEnvelope } from './envelope.ts'
import { DROPPED, EDITED, L, R, S } from './structure.ts'
import { Request, ResourceLogs, ScopeLogs } from './wire.ts'
import type { WireWriter } from './wire-writer.ts'

/** A part of a batch that becomes one valid `ExportLogsServiceRequest`, with envelopes. */
export interface Piece {
  readonly records: number
  /** About how many bytes it takes. */
  readonly size: number
  /** Writes it where the writer stands. */
  write(writer: WireWriter): void
}

const ENVELOPE_SIZE = 128

/** Divides the live records into pieces of about `maxBytes`; a single larger record is a piece of its own. */
export function piecesOf(data: BatchData, maxBytes: number, letter?: Envelope['letter']): Piece[] {
  const { rows } = data
  const count = rows.length / L.STRIDE
  const pieces: Piece[] = []
  let from = 0
  let size = 0
  let live = 0
  const cut = (to: number): void => {
    const start = from
    pieces.push({
      records: live,
      size: size + ENVELOPE_SIZE,
      write: (writer) => writeRange(writer, data, start, to, letter),
    })
    from = to
    size = live = 0
  }
  for (let record = 0; record < count; record++) {
    const row = record * L.STRIDE
    if ((rows[row + L.STATE] & DROPPED) !== 0) continue
    const bytes = rows[row + L.END] - rows[row + L.FIELD]
    if (live > 0 && size + bytes > maxBytes) cut(record)
    size += bytes
    live++
  }
  if (live > 0) cut(count)
  return pieces
}

/** Writes the live records of `[from, to)`: untouched spans are copied as they came. */
function writeRange(
  writer: WireWriter,
  data: BatchData,
  from: number,
  to: number,
  letter: Envelope['letter'],
): void {
  const { bytes, rows, structure } = data
  writer.reserve(rows[(to - 1) * L.STRIDE + L.END] - rows[from * L.STRIDE + L.FIELD] + ENVELOPE_SIZE + 1024)
  let part = -1
  for (let resource = 0, scope = 0; resource < resourceCount(data); resource++) {
    const firstScope = scope
    while (scope < scopeCount(data) && structure.scopes[scope * S.STRIDE + S.RESOURCE] === resource) scope++
    const first = firstRecordOf(data, firstScope)
    const last = firstRecordOf(data, scope)
    const kept = keptIn(data, Math.max(first, from), Math.min(last, to))
    if (kept.live === 0) continue
    const at = resource * R.STRIDE
    if (structure.resources[at + R.PART] !== part) {
      part = structure.resources[at + R.PART]
      writeEnvelope(writer, envelopeOf(data, part, from, to, letter))
    }
    const changed =
      kept.edited || kept.live < last - first || hasContextEdit(data, resource, firstScope, scope)
    if (changed) writeResourceLogs(writer, data, resource, firstScope, scope, from, to)
    else writer.copy(bytes, structure.resources[at + R.FIELD], structure.resources[at + R.END])
  }
}

function keptIn(data: BatchData, from: number, to: number): { live: number; edited: boolean } {
  let live = 0
  let states = 0
  for (let record = from; record < to; record++) {
    const state = data.rows[record * L.STRIDE + L.STATE]
    if ((state & DROPPED) !== 0) continue
    live++
    states |= state
  }
  return { live, edited: (states & EDITED) !== 0 }
}

function hasContextEdit(data: BatchData, resource: number, firstScope: number, endScope: number): boolean {
  if (data.resourceEdits.has(resource)) return true
  if (data.scopeEdits.size === 0) return false
  for (let scope = firstScope; scope < endScope; scope++) if (data.scopeEdits.has(scope)) return true
  return false
}

function writeResourceLogs(
  writer: WireWriter,
  data: BatchData,
  resource: number,
  firstScope: number,
  endScope: number,
  from: number,
  to: number,
): void {
  const { bytes, structure } = data
  const at = resource * R.STRIDE
  const { resources, scopes } = structure
  const start = writer.openWide(Request.resourceLogs)
  const edit = data.resourceEdits.get(resource)
  // The new Resource goes first: fields may come in any order, and where it stood is skipped below.
  if (edit !== undefined) writer.field(ResourceLogs.resource, edit)
  const skipFrom = edit === undefined ? -1 : resources[at + R.MESSAGE_FIELD]
  let run = resources[at + R.START]
  const copyUpTo = (position: number): void => {
    if (skipFrom >= run && skipFrom < position) {
      writer.copy(bytes, run, skipFrom)
      run = resources[at + R.MESSAGE_END]
    }
    writer.copy(bytes, run, position)
  }
  for (let scope = firstScope; scope < endScope; scope++) {
    copyUpTo(scopes[scope * S.STRIDE + S.FIELD])
    writeScopeLogs(writer, data, scope, from, to)
    run = scopes[scope * S.STRIDE + S.END]
  }
  copyUpTo(resources[at + R.END])
  writer.closeWide(start)
}

function writeScopeLogs(writer: WireWriter, data: BatchData, scope: number, from: number, to: number): void {
  const { bytes, rows, structure } = data
  const at = scope * S.STRIDE
  const { scopes } = structure
  const first = firstRecordOf(data, scope)
  const last = firstRecordOf(data, scope + 1)
  if (keptIn(data, Math.max(first, from), Math.min(last, to)).live === 0) return
  const start = writer.openWide(ScopeLogs.logRecords)
  const edit = data.scopeEdits.get(scope)
  if (edit !== undefined) writer.field(ScopeLogs.scope, edit)
  const skipFrom = edit === undefined ? -1 : scopes[at + S.MESSAGE_FIELD]
  let run = scopes[at + S.START]
  const copyUpTo = (position: number): void => {
    if (skipFrom >= run && skipFrom < position) {
      writer.copy(bytes, run, skipFrom)
      run = scopes[at + S.MESSAGE_END]
    }
    writer.copy(bytes, run, position)
  }
  for (let record = first; record < last; record++) {
    const row = record * L.STRIDE
    const state = rows[row + L.STATE]
    const kept = record >= from && record < to && (state & DROPPED) === 0
    if (kept && (state & EDITED) === 0) continue
    copyUpTo(rows[row + L.FIELD])
    if (kept) writer.field(ScopeLogs.logRecords, data.edits.get(record) as Buffer)
    run = rows[row + L.END]
  }
  copyUpTo(scopes[at + S.END])
  writer.closeWide(start)
}

/** The envelope of a part, with the positions of its live records in `[from, to)`. */
function envelopeOf(
  data: BatchData,
  part: number,
  from: number,
  to: number,
  letter: Envelope['letter'],
): Envelope {
  const { rows, structure } = data
  const { id, observedMs, receivedMs, letter: before, lastBuriedMs: earlier, tenant } = data.parts[part]
  if (id === undefined) throw new Error('a batch is identified before it is encoded')
  const runs: number[] = []
  let next = 0
  for (let record = from; record < to; record++) {
    const row = record * L.STRIDE
    const resource = structure.scopes[rows[row + L.SCOPE] * S.STRIDE + S.RESOURCE]
    if (structure.resources[resource * R.STRIDE + R.PART] !== part) continue
    if ((rows[row + L.STATE] & DROPPED) !== 0) continue
    const position = rows[row + L.POSITION]
    if (runs.length === 0) runs.push(position, 0)
    else if (position !== next) runs.push(position - next, 0)
    runs[runs.length - 1]++
    next = position + 1
  }
  // A letter that is written as none is on its way back.
  const lastBuriedMs = letter === undefined ? (before?.buriedMs ?? earlier) : earlier
  return {
    id,
    observedMs,
    receivedMs,
    runs,
    ...(letter && { letter }),
    ...(lastBuriedMs !== undefined && { lastBuriedMs }),
    ...(tenant !== undefined && { tenant }),
  }
}
