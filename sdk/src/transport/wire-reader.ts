/** One field of a protobuf message: `number` for varints and fixed sizes, `bytes` for what has a length. */
export interface Field {
  readonly id: number
  readonly number: number
  readonly bytes: Buffer
}

const VARINT = 0
const FIXED64 = 1
const LENGTH = 2
const FIXED32 = 5
const LONGEST_VARINT = 10
const NO_BYTES = Buffer.alloc(0)

/**
 * Reads the fields of a protobuf message. Numbers are exact up to 2^53.
 *
 * @throws RangeError where the bytes are no protobuf message
 */
export function readFields(message: Buffer): Field[] {
  const fields: Field[] = []
  let pos = 0
  const varint = (): number => {
    let value = 0
    let scale = 1
    for (let count = 0; count < LONGEST_VARINT; count++) {
      if (pos >= message.length) throw new RangeError('a field ends before its value')
      const byte = message[pos++]
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 0x80
    }
    throw new RangeError('a number is longer than ten bytes')
  }
  const take = (size: number): Buffer => {
    if (size > message.length - pos) throw new RangeError('a field ends before its value')
    pos += size
    return message.subarray(pos - size, pos)
  }
  while (pos < message.length) {
    const tag = varint()
    const id = Math.floor(tag / 8)
    switch (tag % 8) {
      case VARINT:
        fields.push({ id, number: varint(), bytes: NO_BYTES })
        break
      case FIXED64:
        fields.push({ id, number: Number(take(8).readBigUInt64LE()), bytes: NO_BYTES })
        break
      case LENGTH:
        fields.push({ id, number: 0, bytes: take(varint()) })
        break
      case FIXED32:
        fields.push({ id, number: take(4).readUInt32LE(), bytes: NO_BYTES })
        break
      default:
        throw new RangeError(`wire type ${tag % 8} is not used by OTLP`)
    }
  }
  return fields
}
