import { Record, WireReader } from '../wire.ts'

/** The severity number of the record at `[start, end)`: 1 to 24, or 0 where it has none. */
export function readSeverity(bytes: Buffer, start: number, end: number): number {
  const reader = new WireReader(bytes, start)
  let severity = 0
  while (reader.pos < end) {
    const tag = reader.tag(end)
    if (tag === Record.severityNumber) severity = reader.int32(end)
    else reader.skip(tag, end)
  }
  return severity
}
