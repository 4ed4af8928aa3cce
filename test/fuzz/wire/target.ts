import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { LogBatch } from '../../../src/logs/batch.ts'
import { checkInFull, checkInKernel } from '../../../src/logs/check-request.ts'
import { MalformedError } from '../../../src/logs/wire.ts'
import { decodeRequest, type Request, recordsOf } from '../../oracle/oracle.ts'
import { sample } from '../../support/arbitraries.ts'
import { Defect, type FuzzTarget } from '../target.ts'
import { processed, readAll, renderAll, storedOf, throughJson } from '../uses.ts'
import { mutateWire } from './mutate.ts'

const SEEDS = 300
/** Small inputs are quick, and reach what large ones do. */
const LONGEST_SEED = 1500
const RECEIVED_MS = 1_750_000_000_000
const KEY = Buffer.alloc(32)

/** The reader of protobuf requests, and everybody who trusts what it let through. */
export const wire: FuzzTarget = {
  seeds: (random) =>
    fc
      .sample(sample, { seed: random.below(2 ** 31), numRuns: SEEDS })
      .map(({ bytes }) => bytes)
      .filter(({ length }) => length <= LONGEST_SEED),
  mutate: mutateWire,
  door: (input) => void accepted(() => LogBatch.decode(input)),
  run(input) {
    openStored(input)
    requireSameCheck(input)
    const batch = accepted(() => LogBatch.decode(input, RECEIVED_MS))
    if (batch === undefined) return false
    batch.identify(KEY)
    readAll(batch)
    requireSameRecords(batch, input)
    renderAll(batch)
    const left = processed(batch)
    for (const one of left) readByOracle(storedOf(one))
    renderAll(left[input.length % left.length])
    return true
  },
}

/** What `read` returns, or undefined where it refuses its input as malformed. */
export function accepted<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof MalformedError) return undefined
    throw error
  }
}

/** A buffer's files may be damaged as well. */
function openStored(input: Buffer): void {
  accepted(() => {
    const batch = LogBatch.open(input)
    batch.identify(KEY)
    readAll(batch)
    batch.encode(Number.POSITIVE_INFINITY)
  })
}

function requireSameCheck(input: Buffer): void {
  const found = checkInKernel(input)
  if (found === undefined) return
  if (
    !isDeepStrictEqual(
      found,
      accepted(() => checkInFull(input)),
    )
  )
    throw new Defect('the kernel finds something else than TypeScript')
}

/** Protobuf-es must find the records that were sent in what is stored, and in lines of JSON. */
function requireSameRecords(batch: LogBatch, input: Buffer): void {
  const stored = recordsOf(readByOracle(storedOf(batch)))
  const sent = oracleOf(input)
  if (sent === undefined) {
    // Where a message comes in pieces, what a later one replaces is thrown away unread.
    if (batch.data.bytes === input) throw new Defect('what is accepted is malformed')
  } else if (!isDeepStrictEqual(stored, recordsOf(sent)))
    throw new Defect('records are not stored as they were sent')
  const written = throughJson(batch).flatMap((bytes) => recordsOf(readByOracle(bytes)))
  const expected = stored.map(saidInJson)
  const found = written.map(saidInJson)
  // Indices are rare, and leaving them out takes long.
  if (!isDeepStrictEqual(found, expected) && !isDeepStrictEqual(found, withoutIndices(expected)))
    throw new Defect('records are not in JSON as they were sent')
}

/** A record as far as OTLP/JSON can say it: ids have one length, and an absent message is an empty one. */
function saidInJson({ record, scope, resource, ...urls }: ReturnType<typeof recordsOf>[number]): object {
  return {
    ...urls,
    name: scope?.name ?? '',
    version: scope?.version ?? '',
    scope: [scope?.attributes ?? [], scope?.droppedAttributesCount ?? 0],
    resource: [resource?.attributes ?? [], resource?.droppedAttributesCount ?? 0, resource?.entityRefs ?? []],
    record: {
      ...record,
      traceId: record.traceId.length === 16 ? record.traceId : new Uint8Array(),
      spanId: record.spanId.length === 8 ? record.spanId : new Uint8Array(),
    },
  }
}

/** Indices into the dictionary of a profile stand for nothing in logs, and JSON has none. */
export function withoutIndices(said: unknown): unknown {
  if (Array.isArray(said)) return said.map(withoutIndices)
  if (typeof said !== 'object' || said === null || said instanceof Uint8Array) return said
  const entries = Object.entries(said).map(
    ([name, value]) => [name, name === 'keyStrindex' ? 0 : value] as const,
  )
  const plain = Object.fromEntries(entries.map(([name, value]) => [name, withoutIndices(value)]))
  return plain.case === 'stringValueStrindex' ? { case: undefined } : plain
}

export function readByOracle(bytes: Buffer): Request {
  const request = oracleOf(bytes)
  if (request === undefined) throw new Defect('what was written is malformed')
  return request
}

function oracleOf(bytes: Buffer): Request | undefined {
  try {
    return decodeRequest(bytes)
  } catch {
    return undefined
  }
}
