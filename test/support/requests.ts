import {
  AnyValue,
  KeyValue,
  Record,
  Request,
  Resource,
  ResourceLogs,
  ScopeLogs,
} from '../../src/logs/wire.ts'
import { WireWriter } from '../../src/logs/wire-writer.ts'

/** The bytes of an `ExportLogsServiceRequest`: one resource, one scope, `records` records at INFO. */
export function makeRequest({
  records,
  service = 'shop',
  body = (i) => `record ${i}`,
}: {
  readonly records: number
  readonly service?: string
  readonly body?: (i: number) => string
}): Buffer {
  const writer = new WireWriter()
  const message = (tag: number, write: () => void): void => {
    const start = writer.open(tag)
    write()
    writer.close(start)
  }
  message(Request.resourceLogs, () => {
    message(ResourceLogs.resource, () =>
      message(Resource.attributes, () => {
        writer.text(KeyValue.key, 'service.name')
        message(KeyValue.value, () => writer.text(AnyValue.string, service))
      }),
    )
    message(ResourceLogs.scopeLogs, () => {
      for (let i = 0; i < records; i++) {
        message(ScopeLogs.logRecords, () => {
          writer.varint(Record.time)
          writer.fixed64(1_700_000_000_000_000_000n + BigInt(i))
          writer.varint(Record.severityNumber)
          writer.varint(9)
          message(Record.body, () => writer.text(AnyValue.string, body(i)))
        })
      }
    })
  })
  return writer.take()
}
