import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import type { Value } from '../../src/logs/any-value.ts'
import {
  type ExportLogsServiceRequest as Request,
  ExportLogsServiceRequestSchema as RequestSchema,
} from './generated/opentelemetry/proto/collector/logs/v1/logs_service_pb.js'
import type {
  AnyValue,
  InstrumentationScope,
  KeyValue,
} from './generated/opentelemetry/proto/common/v1/common_pb.js'
import type { LogRecord } from './generated/opentelemetry/proto/logs/v1/logs_pb.js'
import type { Resource } from './generated/opentelemetry/proto/resource/v1/resource_pb.js'

export { type AnyValue, type KeyValue, type LogRecord, type Request, RequestSchema }
export type RequestInit = MessageInitShape<typeof RequestSchema>

/** Three protobuf messages a level of nested values, and some around them. */
const RECURSION_LIMIT = 1000

/** Reads a request into objects; fields that OTLP does not know are left out. Throws where it is malformed. */
export function decodeRequest(bytes: Uint8Array): Request {
  // Without Buffer's own methods, so that bytes compare equal whoever made them.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  return fromBinary(RequestSchema, plain, { readUnknownFields: false, recursionLimit: RECURSION_LIMIT })
}

export function encodeRequest(request: RequestInit): Buffer {
  return Buffer.from(toBinary(RequestSchema, create(RequestSchema, request)))
}

/** A record and all that is said about it further out. */
export interface RecordInContext {
  readonly record: LogRecord
  readonly scope: InstrumentationScope | undefined
  readonly scopeSchemaUrl: string
  readonly resource: Resource | undefined
  readonly resourceSchemaUrl: string
}

/** The records of a request in order: what splitting and gathering must keep. */
export function recordsOf(request: Request): RecordInContext[] {
  return request.resourceLogs.flatMap(({ resource, scopeLogs, schemaUrl: resourceSchemaUrl }) =>
    scopeLogs.flatMap(({ scope, logRecords, schemaUrl: scopeSchemaUrl }) =>
      logRecords.map((record) => ({ record, scope, scopeSchemaUrl, resource, resourceSchemaUrl })),
    ),
  )
}

/** The request with only the records that `keep` names by their number, and without what is then empty. */
export function filterRecords(request: Request, keep: (record: number) => boolean): Request {
  let next = 0
  const resourceLogs = request.resourceLogs.map((resource) => ({
    ...resource,
    scopeLogs: resource.scopeLogs
      .map((scope) => ({ ...scope, logRecords: scope.logRecords.filter(() => keep(next++)) }))
      .filter(({ logRecords }) => logRecords.length > 0),
  }))
  return { ...request, resourceLogs: resourceLogs.filter(({ scopeLogs }) => scopeLogs.length > 0) }
}

/** The request without scopes and resources that hold no record. */
export const withoutEmpty = (request: Request): Request => filterRecords(request, () => true)

/** A value as `LogRecord.attribute` gives it. */
export function valueOf(any: AnyValue | undefined): Value {
  const { case: kind, value } = any?.value ?? { case: undefined }
  if (kind === 'intValue') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : value
  }
  if (kind === 'arrayValue') return value.values.map(valueOf)
  if (kind === 'kvlistValue')
    return new Map(firstOfEach(value.values).map(({ key, value }) => [key, valueOf(value)]))
  return kind === undefined || kind === 'stringValueStrindex' ? null : value
}

/** Of a key that is there twice the first counts. */
export function firstOfEach(attributes: readonly KeyValue[]): KeyValue[] {
  const seen = new Set<string>()
  return attributes.filter(({ key }) => seen.size < seen.add(key).size)
}
