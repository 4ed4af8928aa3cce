import { fromBinary } from '@bufbuild/protobuf'
import { LogRecordSchema } from '../../../test/oracle/generated/opentelemetry/proto/logs/v1/logs_pb.js'
import { type AnyValue, type KeyValue, type LogRecord } from '../../../test/oracle/oracle.ts'

export type { LogRecord }

/** Reads a record with the generated classes. Throws where it is malformed, or has a field that OTLP does not know. */
export function decodeRecord(bytes: Uint8Array): LogRecord {
  const plain = new Uint8Array(bytes)
  const record = fromBinary(LogRecordSchema, plain, { recursionLimit: 1000 })
  if (record.$unknown !== undefined) throw new Error('the record has unknown fields')
  return record
}

/** A value as JavaScript has it: objects for lists of keys, bigint for int64, null for an empty value. */
export type Plain =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | Plain[]
  | { [key: string]: Plain }

export function plainOf(any: AnyValue | undefined): Plain {
  const { case: kind, value } = any?.value ?? { case: undefined }
  if (kind === undefined || kind === 'stringValueStrindex') return null
  if (kind === 'arrayValue') return value.values.map(plainOf)
  return kind === 'kvlistValue' ? attributesOf(value.values) : (value as Plain)
}

/** The attributes by key; throws where one is there twice. */
export function attributesOf(attributes: readonly KeyValue[]): { [key: string]: Plain } {
  const keys = attributes.map(({ key }) => key)
  if (new Set(keys).size < keys.length) throw new Error(`an attribute is there twice: ${keys.join(', ')}`)
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plainOf(value)]))
}
