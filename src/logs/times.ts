import { L } from './structure.ts'

/** The oldest time at which a record was observed, or happened where that is not said: epoch milliseconds. */
export function oldestObservedMs(bytes: Buffer, rows: Int32Array): number | undefined {
  let oldest = Number.POSITIVE_INFINITY
  for (let row = 0; row < rows.length; row += L.STRIDE) {
    const start = rows[row + L.START]
    const time = timeMs(bytes, start, rows[row + L.OBSERVED]) || timeMs(bytes, start, rows[row + L.TIME])
    if (time > 0 && time < oldest) oldest = time
  }
  return oldest === Number.POSITIVE_INFINITY ? undefined : oldest
}

/** The time of the first record of the request as received: the same whenever the request comes again. */
export function firstTimeMs(bytes: Buffer, rows: Int32Array): number {
  if (rows.length === 0) return 0
  return timeMs(bytes, rows[L.START], rows[L.TIME]) || timeMs(bytes, rows[L.START], rows[L.OBSERVED])
}

/** The nanoseconds of a record's time as milliseconds; 0 is OTLP's way to say that there is none. */
function timeMs(bytes: Buffer, start: number, offset: number): number {
  if (offset === 0) return 0
  const at = start + offset
  return Math.floor((bytes.readUInt32LE(at + 4) * 0x100000000 + bytes.readUInt32LE(at)) / 1e6)
}
