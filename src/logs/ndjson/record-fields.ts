import { KeyValue, Record, type WireReader } from '../wire.ts'
import { isControlKey } from './control.ts'

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
  eventName = 0
  eventNameEnd = 0
  /** Some attribute steers the exporter. */
  control = false

  /** Reads the record at `[reader.pos, end)`. */
  read(reader: WireReader, end: number): void {
    this.time = this.observed = this.severityNumber = this.severityText = this.severityTextEnd = 0
    this.body = this.bodyEnd = this.droppedAttributes = this.flags = this.traceId = this.traceIdEnd = 0
    this.spanId = this.spanIdEnd = this.eventName = this.eventNameEnd = 0
    this.control = false
    while (reader.pos < end) {
      const tag = reader.tag(end)
      switch (tag) {
        case Record.attributes: {
          const stop = reader.length(end)
          if (hasControlKey(reader, stop)) this.control = true
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
  }
}

function zeroAsAbsent(reader: WireReader, end: number): number {
  const at = reader.pos
  reader.fixed(8, end)
  for (let i = at; i < at + 8; i++) if (reader.bytes[i] !== 0) return at
  return 0
}

function hasControlKey(reader: WireReader, end: number): boolean {
  while (reader.pos < end) {
    const tag = reader.tag(end)
    if (tag === KeyValue.key) {
      const stop = reader.length(end)
      return isControlKey(reader.bytes, reader.pos, stop)
    }
    reader.skip(tag, end)
  }
  return false
}
