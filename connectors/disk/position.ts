/** A place in a log: what was appended before it since the folder was made. Never goes back. */
export interface Position {
  readonly elements: number
  /** Log records in those elements. */
  readonly records: number
  /** What those elements took in segment files. */
  readonly bytes: number
}

/** Bytes of a position in a file: three u64, little-endian. */
export const POSITION_BYTES = 24
/** Where among them `bytes` are. */
export const BYTES_BEFORE = 16

export const BEGINNING: Position = { elements: 0, records: 0, bytes: 0 }

export function writePosition(into: Buffer, at: number, { elements, records, bytes }: Position): void {
  into.writeBigUInt64LE(BigInt(elements), at)
  into.writeBigUInt64LE(BigInt(records), at + 8)
  into.writeBigUInt64LE(BigInt(bytes), at + BYTES_BEFORE)
}

export function readPosition(from: Buffer, at: number): Position {
  return {
    elements: Number(from.readBigUInt64LE(at)),
    records: Number(from.readBigUInt64LE(at + 8)),
    bytes: Number(from.readBigUInt64LE(at + BYTES_BEFORE)),
  }
}

export function later(a: Position, b: Position): Position {
  return b.elements > a.elements ? b : a
}

export function earlier(a: Position, b: Position): Position {
  return b.elements < a.elements ? b : a
}
