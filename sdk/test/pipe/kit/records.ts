import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { ExportLogsServiceRequestSchema } from '../../../../test/oracle/generated/opentelemetry/proto/collector/logs/v1/logs_service_pb.js'
import { LogRecordSchema } from '../../../../test/oracle/generated/opentelemetry/proto/logs/v1/logs_pb.js'
import { ResourceSchema } from '../../../../test/oracle/generated/opentelemetry/proto/resource/v1/resource_pb.js'
import type { Pipe } from '../../../src/pipe/pipe.ts'
import type { Scope } from '../../../src/pipe/sink.ts'

export const SCOPE: Scope = { name: 'test', version: '1.0.0' }
export const INFO = 9

/** The resource of all tests. */
export const RESOURCE = toBinary(
  ResourceSchema,
  create(ResourceSchema, { attributes: [{ key: 'service.name', value: textValue('shop') }] }),
)

export interface RecordOptions {
  readonly severity?: number
  readonly body?: string
}

/** Record number `seq`. */
export function encodeRecord(
  seq: number,
  { severity = INFO, body = `order ${seq}` }: RecordOptions = {},
): Uint8Array {
  return toBinary(
    LogRecordSchema,
    create(LogRecordSchema, {
      timeUnixNano: 1_790_000_000_000_000_000n + BigInt(seq),
      severityNumber: severity,
      body: textValue(body),
      attributes: [{ key: 'seq', value: { value: { case: 'intValue', value: BigInt(seq) } } }],
    }),
  )
}

/** Logs the records `first` to `first + count - 1`; returns how many were accepted. */
export function log(
  pipe: Pick<Pipe, 'accept'>,
  first: number,
  count: number,
  options: RecordOptions = {},
): number {
  let accepted = 0
  for (let seq = first; seq < first + count; seq++) {
    const bytes = encodeRecord(seq, options)
    if (pipe.accept(SCOPE, options.severity ?? INFO, bytes, 0, bytes.length)) accepted++
  }
  return accepted
}

/** The numbers of the records in a request, in order. */
export function seqsOf(request: Uint8Array): number[] {
  const { resourceLogs } = fromBinary(ExportLogsServiceRequestSchema, new Uint8Array(request))
  const records = resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords))
  return records.map(({ attributes }) =>
    Number(attributes.find(({ key }) => key === 'seq')?.value?.value.value),
  )
}

/** The numbers `first` to `first + count - 1`. */
export const range = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => first + i)

function textValue(value: string) {
  return { value: { case: 'stringValue' as const, value } }
}

/** A request of these records. */
export function requestOf(...seqs: number[]): Buffer {
  const logRecords = seqs.map((seq) => fromBinary(LogRecordSchema, encodeRecord(seq)))
  const request = { resourceLogs: [{ scopeLogs: [{ logRecords }] }] }
  return Buffer.from(
    toBinary(ExportLogsServiceRequestSchema, create(ExportLogsServiceRequestSchema, request)),
  )
}
