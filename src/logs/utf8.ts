import { isUtf8 } from 'node:buffer'
import { viewOf, type WireReader } from './wire.ts'

const HIGH_BITS = 0x80808080

/** The bytes that were looked at last, four at a time: one request has many texts. */
let viewed: Buffer | undefined
let view: DataView = new DataView(new ArrayBuffer(0))

/**
 * Steps over the bytes up to `stop`, which must be UTF-8. `what` names them.
 * Almost all text is ASCII, and seeing that here makes no garbage; native code takes a view of its own for each text.
 */
export function checkUtf8(reader: WireReader, stop: number, what: string): void {
  const { bytes, pos } = reader
  if (viewed !== bytes) {
    viewed = bytes
    view = viewOf(bytes)
  }
  let high = 0
  let at = pos
  for (; at + 4 <= stop; at += 4) high |= view.getUint32(at, true)
  for (; at < stop; at++) high |= bytes[at]
  if ((high & HIGH_BITS) !== 0 && !isUtf8(bytes.subarray(pos, stop))) {
    throw reader.malformed(`${what} is not valid UTF-8`)
  }
  reader.pos = stop
}
