import { readKeyValue, type Value } from './any-value.ts'
import type { LogBatch } from './batch.ts'
import { type BatchData, isDropped, recordCount, resourceCount } from './data.ts'
import { L, R, S } from './structure.ts'
import { Resource, WireReader } from './wire.ts'

/** What a resource of a batch says of itself. */
export interface ResourceView {
  /** The value of an attribute; of the first one where the key is there twice. */
  attribute(name: string): Value | undefined
  /** Whose records are in it, by the credential that they came with. */
  readonly tenant: string | undefined
}

/** Names each resource of a batch, in their order. */
export function nameResources(batch: LogBatch, nameOf: (resource: ResourceView) => string): string[] {
  const { data } = batch
  return Array.from({ length: resourceCount(data) }, (_, index) => nameOf(viewOf(data, index)))
}

/**
 * Divides a batch by its resources, which have a key each: for every key the records of its resources. Where all keys
 * are the same, that is the batch itself. Costs a pass over the batch for every key.
 */
export function divideByResource(batch: LogBatch, keys: readonly string[]): ReadonlyMap<string, LogBatch> {
  const { data } = batch
  if (keys.every((key) => key === keys[0])) return new Map([[keys[0], batch]])
  const divided = new Map<string, number[]>()
  for (let record = 0; record < recordCount(data); record++) {
    if (isDropped(data, record)) continue
    const scope = data.rows[record * L.STRIDE + L.SCOPE]
    const key = keys[data.structure.scopes[scope * S.STRIDE + S.RESOURCE]]
    const records = divided.get(key)
    if (records) records.push(record)
    else divided.set(key, [record])
  }
  return new Map([...divided].map(([key, records]) => [key, batch.select(records)]))
}

function viewOf(data: BatchData, resource: number): ResourceView {
  const at = resource * R.STRIDE
  const { resources } = data.structure
  const start = resources[at + R.MESSAGE]
  const edited = data.resourceEdits.get(resource)
  const message =
    edited ?? data.bytes.subarray(Math.max(start, 0), start < 0 ? 0 : resources[at + R.MESSAGE_END])
  const { tenant } = data.parts[resources[at + R.PART]]
  return { attribute: (name) => attributeOf(message, name), tenant }
}

function attributeOf(message: Buffer, name: string): Value | undefined {
  const reader = new WireReader(message)
  while (reader.pos < message.length) {
    const tag = reader.tag(message.length)
    if (tag !== Resource.attributes) {
      reader.skip(tag, message.length)
      continue
    }
    const stop = reader.length(message.length)
    const [key, value] = readKeyValue(message, reader.pos, stop)
    if (key === name) return value
    reader.pos = stop
  }
  return undefined
}
