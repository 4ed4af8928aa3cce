import { fromBinary } from '@bufbuild/protobuf'
import { ExportLogsServiceRequestSchema } from '../../../test/oracle/generated/opentelemetry/proto/collector/logs/v1/logs_service_pb.js'
import { attributesOf, type LogRecord, type Plain, plainOf } from './decode.ts'

/** A record that a collector was sent. */
export interface Delivered {
  readonly resource: { [key: string]: Plain }
  readonly scope: { readonly name: string; readonly version: string }
  readonly record: LogRecord
  readonly body: Plain
  readonly attributes: { [key: string]: Plain }
}

/** The records of some requests, in order. */
export function deliveredIn(requests: readonly Uint8Array[]): Delivered[] {
  return requests.flatMap((request) =>
    fromBinary(ExportLogsServiceRequestSchema, new Uint8Array(request)).resourceLogs.flatMap((one) =>
      one.scopeLogs.flatMap(({ scope, logRecords }) =>
        logRecords.map((record) => ({
          resource: attributesOf(one.resource?.attributes ?? []),
          scope: { name: scope?.name ?? '', version: scope?.version ?? '' },
          record,
          body: plainOf(record.body),
          attributes: attributesOf(record.attributes),
        })),
      ),
    ),
  )
}
