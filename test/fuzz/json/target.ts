import { isUtf8 } from 'node:buffer'
import { isDeepStrictEqual } from 'node:util'
import { LogBatch } from '../../../src/logs/batch.ts'
import { encodeJsonRequest } from '../../../src/logs/json/encode.ts'
import { LineRequests } from '../../../src/logs/json/line-requests.ts'
import { JsonWriter } from '../../../src/logs/ndjson/json-writer.ts'
import { OtelMapping } from '../../../src/logs/ndjson/otel-document.ts'
import { decodeRequest, encodeRequest, type Request } from '../../oracle/oracle.ts'
import { Defect, type FuzzTarget } from '../target.ts'
import { documentsOf, readAll, renderAll, storedOf } from '../uses.ts'
import { accepted, readByOracle, wire, withoutIndices } from '../wire/target.ts'
import { anyRequest } from './grammar.ts'
import { mutateJson } from './mutate.ts'
import { readOtherwise } from './oracle.ts'

const SEEDS = 150
const DOCUMENTS = 50
const RECEIVED_MS = 1_750_000_000_000
const KEY = Buffer.alloc(32)

/** The readers of OTLP/JSON and of documents in files. */
export const json: FuzzTarget = {
  seeds(random) {
    const requests = Array.from({ length: SEEDS }, () => Buffer.from(anyRequest(random)))
    const documents = wire.seeds(random).flatMap((bytes) => {
      const batch = LogBatch.decode(bytes, RECEIVED_MS)
      return documentsOf(batch, new OtelMapping(), new JsonWriter(1024)).slice(0, 1)
    })
    return [...requests, ...documents.slice(0, DOCUMENTS).map((line) => Buffer.from(line.trimEnd()))]
  },
  mutate: mutateJson,
  door: (input) => void accepted(() => LogBatch.decode(Buffer.from(encodeJsonRequest(input)))),
  run(input) {
    readLine(input)
    const text = input.toString()
    const other = readOtherwise(text)
    const bytes = accepted(() => Buffer.from(encodeJsonRequest(input)))
    if (bytes === undefined) return false
    if (!isUtf8(input) || !other.isJson) throw new Defect('what is accepted is not JSON')
    const found = readByOracle(bytes)
    if (other.request !== undefined && !isSame(found, other.request))
      throw new Defect('the request is not what protobuf-es reads')
    const batch = LogBatch.decode(bytes, RECEIVED_MS)
    batch.identify(KEY)
    readAll(batch)
    readByOracle(storedOf(batch))
    renderAll(batch)
    return true
  },
}

/** Reads it as a line of a file, which may be a document as well. */
function readLine(input: Buffer): void {
  const requests = new LineRequests()
  accepted(() => requests.add(input))
  const { records } = requests
  if (LogBatch.decode(requests.take()).size !== records)
    throw new Defect('a line holds other records than it says')
}

function isSame(found: Request, other: Request): boolean {
  if (isDeepStrictEqual(found, other)) return true
  // In objects protobuf-es keeps an integer of -0, and indices, which stand for nothing in logs.
  const read = decodeRequest(encodeRequest(other))
  return isDeepStrictEqual(withoutIndices(found), withoutIndices(read))
}
