import { isUtf8 } from 'node:buffer'
import type { WireReader } from './wire.ts'

/** Checking byte by byte beats the call into native code below this size. */
const SHORT_TEXT = 48

/** Steps over the bytes up to `stop`, which must be UTF-8. `what` names them. */
export function checkUtf8(reader: WireReader, stop: number, what: string): void {
  const { bytes, pos } = reader
  if (stop - pos < SHORT_TEXT) {
    let high = 0
    for (let at = pos; at < stop; at++) high |= bytes[at]
    if (high < 0x80) {
      reader.pos = stop
      return
    }
  }
  if (!isUtf8(bytes.subarray(pos, stop))) throw reader.malformed(`${what} is not valid UTF-8`)
  reader.pos = stop
}
