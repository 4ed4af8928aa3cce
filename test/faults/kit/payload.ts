import { crc32 } from 'node:zlib'
import { encodeJsonRequest } from '../../../src/logs/json/encode.ts'
import { generator } from './random.ts'

const BODY_LENGTH = 200
const NOTE_LENGTH = 20
/** Letters that compress little, and that hold nothing redaction looks for. */
const LETTERS = makeLetters(4 * 2 ** 20)
const STRIDE = 7919

/** Tells whether a record arrived as it was sent. */
export const hashOf = (body: string, note: string): number => crc32(`${body}\0${note}`)

/** The text of record `seq` and its hash, always the same for the same number. */
export function textOf(seq: number, bodyLength = BODY_LENGTH): { body: string; note: string; hash: number } {
  const at = (seq * STRIDE) % (LETTERS.length - bodyLength - NOTE_LENGTH)
  const body = LETTERS.slice(at, at + bodyLength)
  const note = LETTERS.slice(at + bodyLength, at + bodyLength + NOTE_LENGTH)
  return { body, note, hash: hashOf(body, note) }
}

export interface Payload {
  readonly bytes: Buffer
  /** Of each record, in order. */
  readonly hashes: readonly number[]
}

/** One OTLP request of the records `first` to `first + count - 1`. */
export function makePayload(first: number, count: number, bodyLength?: number): Payload {
  const texts = Array.from({ length: count }, (_, i) => textOf(first + i, bodyLength))
  const logRecords = texts.map(({ body, note }, i) => ({
    timeUnixNano: String(1_790_000_000_000_000_000n + BigInt(first + i)),
    severityNumber: 9,
    body: { stringValue: body },
    attributes: [
      { key: 'seq', value: { intValue: String(first + i) } },
      { key: 'note', value: { stringValue: note } },
    ],
  }))
  const request = { resourceLogs: [{ scopeLogs: [{ logRecords }] }] }
  return { bytes: encodeJsonRequest(JSON.stringify(request)), hashes: texts.map(({ hash }) => hash) }
}

function makeLetters(count: number): string {
  const random = generator(1)
  const bytes = Buffer.alloc(count)
  for (let i = 0; i < count; i++) bytes[i] = 97 + Math.floor(random() * 26)
  return bytes.toString('latin1')
}
