import { randomFillSync } from 'node:crypto'

/** Bytes that do not shrink, as those of elements: they are compressed already. The first four are for a number. */
export const fill = (bytes: number): Buffer => randomFillSync(Buffer.alloc(bytes))

export const numberIn = (element: Buffer): number => element.readUInt32LE(0)
