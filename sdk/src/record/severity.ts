import { Buffer } from 'node:buffer'
import { LogRecord } from './fields.ts'

/** How severe a record is, with the fields that say so as bytes. */
export interface Severity {
  /** OTel severity number, 0 (unspecified) to 24. */
  readonly number: number
  readonly text: string
  readonly bytes: Uint8Array
}

const MAX_TEXT = 64

/** @param text Of which at most 64 characters are kept. */
export function severityOf(number: number, text: string): Severity {
  const encoded = Buffer.from(text.slice(0, MAX_TEXT))
  const fields = [LogRecord.severityNumber, number, LogRecord.severityText]
  return { number, text, bytes: Buffer.concat([Buffer.from(fields), lengthOf(encoded), encoded]) }
}

function lengthOf(encoded: Uint8Array): Uint8Array {
  const { length } = encoded
  return Buffer.from(length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7])
}
