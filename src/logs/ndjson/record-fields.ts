import { AnyValue, KeyValue, Record, type WireReader } from '../wire.ts'
import { isControlKey } from './control.ts'

const EVENT_NAME = 'event.name'
const EVENT_NAME_LENGTH = 10
const LETTER_E = 0x65
/** Tags up to here are those of a value's members. */
const LAST_MEMBER = AnyValue.stringIndex

/** Where the fields of one record lie, `[start, end)`; 0 for those it lacks. Reused from record to record. */
export class RecordFields {
  time = 0
  observed = 0
  severityNumber = 0
  severityText = 0
  severityTextEnd = 0
  body = 0
  bodyEnd = 0
  droppedAttributes = 0
  flags = 0
  traceId = 0
  traceIdEnd = 0
  spanId = 0
  spanIdEnd = 0
  /** The field, or else the first attribute `event.name`: SDKs wrote that before there was a field. */
  eventName = 0
  eventNameEnd = 0
  /** The name is the attribute's. */
  namedByAttribute = false
  /** Some attribute steers the exporter. */
  control = false

  /** Reads the record at `[reader.pos, end)`. */
  read(reader: WireReader, end: number): void {
    this.time = this.observed = this.severityNumber = this.severityText = this.severityTextEnd = 0
    this.body = this.bodyEnd = this.droppedAttributes = this.flags = this.traceId = this.traceIdEnd = 0
    this.spanId = this.spanIdEnd = this.eventName = this.eventNameEnd = 0
    this.control = this.namedByAttribute = false
    let namedStart = 0
    let namedEnd = 0
    while (reader.pos < end) {
      const tag = reader.tag(end)
      switch (tag) {
        case Record.attributes: {
          const stop = reader.length(end)
          const start = reader.pos
          const length = findKey(reader, stop)
          if (length === EVENT_NAME_LENGTH) {
            if (namedEnd === 0 && isEventName(reader)) {
              namedStart = start
              namedEnd = stop
            }
          } else if (isControlKey(reader.bytes, reader.pos, reader.pos + length)) this.control = true
          reader.pos = stop
          break
        }
        case Record.time:
          this.time = zeroAsAbsent(reader, end)
          break
        case Record.observedTime:
          this.observed = zeroAsAbsent(reader, end)
          break
        case Record.severityNumber:
          this.severityNumber = reader.int32(end)
          break
        case Record.severityText:
          this.severityTextEnd = reader.length(end)
          this.severityText = reader.pos
          reader.pos = this.severityTextEnd
          break
        case Record.body:
          this.bodyEnd = reader.length(end)
          this.body = reader.pos
          reader.pos = this.bodyEnd
          break
        case Record.droppedAttributesCount:
          this.droppedAttributes = reader.int32(end) >>> 0
          break
        case Record.flags:
          this.flags = reader.pos
          reader.fixed(4, end)
          break
        case Record.traceId:
          this.traceIdEnd = reader.length(end)
          this.traceId = reader.pos
          reader.pos = this.traceIdEnd
          break
        case Record.spanId:
          this.spanIdEnd = reader.length(end)
          this.spanId = reader.pos
          reader.pos = this.spanIdEnd
          break
        case Record.eventName:
          this.eventNameEnd = reader.length(end)
          this.eventName = reader.pos
          reader.pos = this.eventNameEnd
          break
        default:
          reader.skip(tag, end)
      }
    }
    if (this.eventName === this.eventNameEnd && namedEnd !== 0)
      this.#readEventName(reader, namedStart, namedEnd)
  }

  /** Takes the text of the attribute at `[start, end)` for the event's name. */
  #readEventName(reader: WireReader, start: number, end: number): void {
    this.namedByAttribute = true
    reader.pos = start
    while (reader.pos < end) {
      const tag = reader.tag(end)
      const stop = tag === KeyValue.value ? reader.length(end) : end
      if (tag !== KeyValue.value) {
        reader.skip(tag, end)
        continue
      }
      this.eventName = this.eventNameEnd = 0
      while (reader.pos < stop) {
        const member = reader.tag(stop)
        if (member <= LAST_MEMBER) this.eventName = this.eventNameEnd = 0
        if (member === AnyValue.string) {
          this.eventNameEnd = reader.length(stop)
          this.eventName = reader.pos
          reader.pos = this.eventNameEnd
        } else reader.skip(member, stop)
      }
    }
  }
}

function zeroAsAbsent(reader: WireReader, end: number): number {
  const at = reader.pos
  reader.fixed(8, end)
  for (let i = at; i < at + 8; i++) if (reader.bytes[i] !== 0) return at
  return 0
}

/** Moves to the key of the KeyValue at `[reader.pos, end)`, and gives its length. */
function findKey(reader: WireReader, end: number): number {
  while (reader.pos < end) {
    const tag = reader.tag(end)
    if (tag === KeyValue.key) return reader.length(end) - reader.pos
    reader.skip(tag, end)
  }
  return 0
}

function isEventName({ bytes, pos }: WireReader): boolean {
  return bytes[pos] === LETTER_E && bytes.toString('latin1', pos, pos + EVENT_NAME_LENGTH) === EVENT_NAME
}
