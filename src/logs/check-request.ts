import { beginExtent, checkContexts, checkRecord, extentMet } from './check.ts'
import type { Extent } from './extent.ts'
import { kernel } from './kernel/kernel.ts'
import { L, R, readStructure, S, type Structure } from './structure.ts'
import { WireReader } from './wire.ts'

export interface CheckedRequest {
  readonly structure: Structure
  /** A resource or scope holds an integer that redaction looks at. */
  readonly contextLongInts: boolean
  /** A field that may be there once is there twice. */
  readonly repeated: boolean
  readonly extent: Extent
}

/**
 * Finds and checks everything in a request at the door, and numbers its records.
 * @throws MalformedError saying what is wrong and where
 */
export function checkRequest(bytes: Buffer): CheckedRequest {
  return checkInKernel(bytes) ?? checkInFull(bytes)
}

/** Requests as SDKs write them; undefined for any other. */
export function checkInKernel(bytes: Buffer): CheckedRequest | undefined {
  if (!kernel?.load(bytes)) return undefined
  const { check, resourceCount, scopeCount, contextLongInts, RECORDS, RESOURCES, SCOPES } = kernel.exports
  const { attributesMet, keyMet, valueMet, bodyMet } = kernel.exports
  const records = check(bytes.length)
  if (records < 0) return undefined
  const structure = {
    resources: kernel.integers(RESOURCES, resourceCount() * R.STRIDE),
    scopes: kernel.integers(SCOPES, scopeCount() * S.STRIDE),
    records: kernel.integers(RECORDS, records * L.STRIDE),
    envelopes: [],
    repeated: false,
  }
  const extent = { attributes: attributesMet(), key: keyMet(), value: valueMet(), body: bodyMet() }
  return { structure, contextLongInts: contextLongInts() !== 0, repeated: false, extent }
}

export function checkInFull(bytes: Buffer): CheckedRequest {
  const structure = readStructure(bytes)
  const rows = structure.records
  const reader = new WireReader(bytes)
  let { repeated } = structure
  beginExtent()
  for (let row = 0; row < rows.length; row += L.STRIDE) {
    reader.pos = rows[row + L.START]
    if (checkRecord(reader, rows[row + L.END], rows, row, rows[row + L.START])) repeated = true
    rows[row + L.POSITION] = row / L.STRIDE
  }
  const contexts = checkContexts(bytes, structure)
  return {
    structure,
    contextLongInts: contexts.longInts,
    repeated: repeated || contexts.repeated,
    extent: extentMet(),
  }
}
