/**
 * An element that only one of several groups is to have: a dead letter that was put back. All groups read one log, so
 * it says whose it is, and the others pass over it.
 *
 * ```
 * magic    4   0, 'SLG': no protobuf message, zstd frame or seal begins so
 * length   2   of the name, little-endian
 * name         of the group
 * element
 * ```
 */
const MAGIC = Buffer.from('\0SLG', 'latin1')
const NAME = MAGIC.length + 2

export function addressed(group: string, element: Buffer): Buffer {
  const name = Buffer.from(group)
  const length = Buffer.alloc(2)
  length.writeUInt16LE(name.length)
  return Buffer.concat([MAGIC, length, name, element])
}

/** The element, and the group it is for where it is not for all. */
export function readAddress(payload: Buffer): {
  readonly group: string | undefined
  readonly element: Buffer
} {
  const isAddressed = payload.length >= NAME && MAGIC.compare(payload, 0, MAGIC.length) === 0
  if (!isAddressed) return { group: undefined, element: payload }
  const end = NAME + payload.readUInt16LE(MAGIC.length)
  return { group: payload.toString('utf8', NAME, end), element: payload.subarray(end) }
}
