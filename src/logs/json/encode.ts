import { isUtf8 } from 'node:buffer'
import { MalformedError } from '../wire.ts'
import { WireWriter } from '../wire-writer.ts'
import { writeRequest } from './messages.ts'
import { JsonReader } from './reader.ts'

/**
 * An OTLP/JSON logs request as protobuf bytes, ready for `LogBatch.decode`.
 * Follows https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding and forgives what clients are known to
 * send besides: snake_case names, names of enum values, URL-safe base64, 64-bit integers as numbers of any size.
 * @throws MalformedError saying what is wrong and where, as in
 * `resourceLogs[0].scopeLogs[0].logRecords[3].traceId: expected 32 hex digits`
 */
export function encodeJsonRequest(text: string | Buffer): Buffer {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  if (!isUtf8(bytes)) throw new MalformedError('not valid JSON: the text is not UTF-8')
  const reader = new JsonReader(bytes)
  const writer = new WireWriter(bytes.length)
  writeRequest(reader, writer)
  reader.finish()
  return writer.bytes.subarray(0, writer.pos)
}
