import { LEN, VARINT, WireReader } from './wire.ts'

const PARTIAL_SUCCESS = (1 << 3) | LEN
const REJECTED = (1 << 3) | VARINT
const MESSAGE = (2 << 3) | LEN

/** What a server says of a request that it took, as a whole or in part. */
export interface ExportResponse {
  /** Log records that it did not take. */
  readonly rejected: number
  readonly message: string
}

/**
 * Reads an `ExportLogsServiceResponse`.
 * @throws MalformedError where it is none
 */
export function readExportResponse(bytes: Buffer): ExportResponse {
  const reader = new WireReader(bytes)
  let rejected = 0
  let message = ''
  while (reader.pos < bytes.length) {
    const tag = reader.tag(bytes.length)
    if (tag !== PARTIAL_SUCCESS) {
      reader.skip(tag, bytes.length)
      continue
    }
    const end = reader.length(bytes.length)
    while (reader.pos < end) {
      const field = reader.tag(end)
      if (field === REJECTED) rejected = reader.varint(end)
      else if (field === MESSAGE) {
        const stop = reader.length(end)
        message = bytes.toString('utf8', reader.pos, stop)
        reader.pos = stop
      } else reader.skip(field, end)
    }
  }
  return { rejected, message }
}
