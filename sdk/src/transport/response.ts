import { readFields } from './wire-reader.ts'

/** Field numbers of `ExportLogsServiceResponse` and `ExportLogsPartialSuccess`. */
const PARTIAL_SUCCESS = 1
const REJECTED = 1
const ERROR_MESSAGE = 2

/** What a collector says of a request that it took. */
export interface ExportResponse {
  readonly rejected: number
  readonly message: string
}

const ALL_TAKEN: ExportResponse = { rejected: 0, message: '' }

/** Reads an `ExportLogsServiceResponse`. One that cannot be read says nothing of rejected records. */
export function readExportResponse(bytes: Buffer): ExportResponse {
  try {
    let { rejected, message } = ALL_TAKEN
    for (const field of readFields(bytes)) {
      if (field.id !== PARTIAL_SUCCESS) continue
      for (const { id, number, bytes } of readFields(field.bytes)) {
        if (id === REJECTED) rejected = number
        else if (id === ERROR_MESSAGE) message = bytes.toString()
      }
    }
    return { rejected, message }
  } catch {
    return ALL_TAKEN
  }
}

/** The same in OTLP/JSON, for servers that answer in it whatever they are sent. */
export function readJsonResponse(text: string): ExportResponse {
  try {
    const { partialSuccess = {} } = JSON.parse(text) as {
      partialSuccess?: { rejectedLogRecords?: unknown; errorMessage?: unknown }
    }
    const rejected = Number(partialSuccess.rejectedLogRecords ?? 0)
    return {
      rejected: Number.isSafeInteger(rejected) ? rejected : 0,
      message: typeof partialSuccess.errorMessage === 'string' ? partialSuccess.errorMessage : '',
    }
  } catch {
    return ALL_TAKEN
  }
}
