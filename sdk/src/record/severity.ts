import { Buffer } from 'node:buffer'
import { LogRecord } from './fields.ts'
import { type Words, wordsOf } from './words.ts'

/** How severe a record is, with the fields that say so. */
export interface Severity {
  /** OTel severity number, 0 (unspecified) to 24. */
  readonly number: number
  readonly text: string
  readonly fields: Words
}

const MAX_TEXT = 64

/** @param text Of which at most 64 characters are kept. */
export function severityOf(number: number, text: string): Severity {
  const encoded = Buffer.from(text.slice(0, MAX_TEXT))
  const head = [LogRecord.severityNumber, number, LogRecord.severityText]
  const bytes = Buffer.concat([Buffer.from(head), lengthOf(encoded), encoded])
  return { number, text, fields: wordsOf(bytes) }
}

function lengthOf(encoded: Uint8Array): Uint8Array {
  const { length } = encoded
  return Buffer.from(length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7])
}
