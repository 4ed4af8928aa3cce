import { WireWriter } from '../../src/logs/wire-writer.ts'
import { Code, type Failure, type Success } from './outcome.ts'

/** `ExportLogsServiceResponse` and, for errors, `google.rpc.Status` with its details, as protobuf and as JSON. */

const Response = { partialSuccess: 0x0a } as const
const PartialSuccess = { rejectedLogRecords: 0x08, errorMessage: 0x12 } as const
/** https://github.com/googleapis/googleapis/blob/master/google/rpc/status.proto and error_details.proto */
const Status = { code: 0x08, message: 0x12, details: 0x1a } as const
const Any = { typeUrl: 0x0a, value: 0x12 } as const
const RetryInfo = { retryDelay: 0x0a } as const
const Duration = { seconds: 0x08, nanos: 0x10 } as const
const BadRequest = { fieldViolations: 0x0a } as const
const FieldViolation = { description: 0x12 } as const

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo'
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest'

export function encodeSuccess({ rejected, message }: Success): Buffer {
  const writer = new WireWriter(64)
  if (rejected > 0) {
    const partial = writer.open(Response.partialSuccess)
    writer.varint(PartialSuccess.rejectedLogRecords)
    writer.varint(rejected)
    writer.text(PartialSuccess.errorMessage, message)
    writer.close(partial)
  }
  return writer.copyOut()
}

export function successJson({ rejected, message }: Success): string {
  return rejected === 0
    ? '{}'
    : JSON.stringify({ partialSuccess: { rejectedLogRecords: String(rejected), errorMessage: message } })
}

/** With RetryInfo where the client should try again, and BadRequest where the request cannot be read. */
export function encodeStatus({ code, message, retryMs }: Failure): Buffer {
  const writer = new WireWriter(256)
  writer.varint(Status.code)
  writer.varint(code)
  writer.text(Status.message, message)
  if (retryMs !== undefined) {
    writeAny(writer, RETRY_INFO, () => {
      const delay = writer.open(RetryInfo.retryDelay)
      writer.varint(Duration.seconds)
      writer.varint(Math.floor(retryMs / 1000))
      writer.varint(Duration.nanos)
      writer.varint((retryMs % 1000) * 1_000_000)
      writer.close(delay)
    })
  }
  if (code === Code.invalidArgument) {
    writeAny(writer, BAD_REQUEST, () => {
      const violation = writer.open(BadRequest.fieldViolations)
      writer.text(FieldViolation.description, message)
      writer.close(violation)
    })
  }
  return writer.copyOut()
}

export function statusJson({ code, message, retryMs }: Failure): string {
  const details = [
    ...(retryMs === undefined
      ? []
      : [{ '@type': RETRY_INFO, retryDelay: `${(retryMs / 1000).toFixed(3)}s` }]),
    ...(code === Code.invalidArgument
      ? [{ '@type': BAD_REQUEST, fieldViolations: [{ description: message }] }]
      : []),
  ]
  return JSON.stringify({ code, message, details })
}

function writeAny(writer: WireWriter, type: string, writeValue: () => void): void {
  const any = writer.open(Status.details)
  writer.text(Any.typeUrl, type)
  const value = writer.open(Any.value)
  writeValue()
  writer.close(value)
  writer.close(any)
}
