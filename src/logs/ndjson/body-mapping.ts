import { AnyValue, LIST_ITEM, viewOf, WireReader } from '../wire.ts'
import { Member } from './fields/member.ts'
import type { JsonWriter } from './json-writer.ts'
import { type Mapping, UnfitError } from './mapping.ts'
import { RecordFields } from './record-fields.ts'

const NANOSECONDS = 1_000_000n
const OPEN = 0x7b
const CLOSE = 0x7d
const NEWLINE = 0x0a

/** The Collector's mapping mode `bodymap`: the body, a map, is the document, and nothing else is. */
export class BodyMapping implements Mapping {
  readonly room = 0
  readonly #fields = new RecordFields()
  readonly #body = new Member()
  #reader = new WireReader(Buffer.alloc(0))

  begin(bytes: Buffer): void {
    this.#reader = new WireReader(bytes)
  }

  enterScope(): void {}

  read(bytes: Buffer, start: number, end: number): boolean {
    if (this.#reader.bytes !== bytes) this.begin(bytes)
    this.#reader.pos = start
    this.#fields.read(this.#reader, end)
    return this.#fields.control
  }

  write(out: JsonWriter, _dataStream: Buffer, receivedMs: number): number {
    const reader = this.#reader
    const { body, bodyEnd, time, observed } = this.#fields
    const { tag, from, to } = this.#body.find(reader, body, bodyEnd)
    if (tag !== AnyValue.kvlist) {
      throw new UnfitError('no_map', 'its body is no map, as the mapping mode bodymap wants it')
    }
    reader.pos = from
    out.byte(OPEN)
    out.members(reader, viewOf(reader.bytes), to, LIST_ITEM)
    out.byte(CLOSE)
    out.byte(NEWLINE)
    const happened = time || observed
    return happened === 0 ? receivedMs : Number(reader.bytes.readBigUInt64LE(happened) / NANOSECONDS)
  }
}
