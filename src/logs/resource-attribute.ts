import type { LogBatch } from './batch.ts'
import { resourceCount } from './data.ts'
import { KeyValueSpan } from './key-value.ts'
import { R } from './structure.ts'
import { AnyValue, KeyValue, Resource, WireReader } from './wire.ts'
import { WireWriter } from './wire-writer.ts'

/** Gives every resource of a batch an attribute, in place of those that it has of that name; for undefined, in place of them none. */
export function setResourceAttribute(batch: LogBatch, name: string, value: string | undefined): void {
  const { bytes, resourceEdits, structure } = batch.data
  for (let resource = 0; resource < resourceCount(batch.data); resource++) {
    const at = resource * R.STRIDE
    const start = structure.resources[at + R.MESSAGE]
    const edited = resourceEdits.get(resource)
    const message =
      edited ?? bytes.subarray(Math.max(start, 0), start < 0 ? 0 : structure.resources[at + R.MESSAGE_END])
    resourceEdits.set(resource, withAttribute(message, name, value))
  }
}

function withAttribute(message: Buffer, name: string, value: string | undefined): Buffer {
  const key = Buffer.from(name)
  const writer = new WireWriter(message.length + key.length + (value?.length ?? 0) * 3 + 16)
  const reader = new WireReader(message)
  const span = new KeyValueSpan()
  while (reader.pos < message.length) {
    const from = reader.pos
    const tag = reader.tag(message.length)
    if (tag === Resource.attributes) {
      span.read(reader, reader.length(message.length))
      if (key.equals(message.subarray(span.keyStart, span.keyEnd))) continue
    } else reader.skip(tag, message.length)
    writer.copy(message, from, reader.pos)
  }
  if (value === undefined) return writer.copyOut()
  const attribute = writer.open(Resource.attributes)
  writer.text(KeyValue.key, name)
  const any = writer.open(KeyValue.value)
  writer.text(AnyValue.string, value)
  writer.close(any)
  writer.close(attribute)
  return writer.copyOut()
}
