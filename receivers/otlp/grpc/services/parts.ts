import { LEN, WireReader } from '../../../../src/logs/wire.ts'

/** What the length-delimited fields of one number hold. */
export function parts(bytes: Buffer, field: number): Buffer[] {
  const reader = new WireReader(bytes)
  const found: Buffer[] = []
  while (reader.pos < bytes.length) {
    const tag = reader.tag(bytes.length)
    if (tag !== ((field << 3) | LEN)) {
      reader.skip(tag, bytes.length)
      continue
    }
    const end = reader.length(bytes.length)
    found.push(bytes.subarray(reader.pos, end))
    reader.pos = end
  }
  return found
}
