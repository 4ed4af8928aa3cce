import { KeyValue, type WireReader } from './wire.ts'

/** Where the parts of a KeyValue lie. One serves all those of a walk: nothing is made for each of them. */
export class KeyValueSpan {
  keyStart = 0
  keyEnd = 0
  hasValue = false
  /** An empty range at the end where there is no value. */
  valueStart = 0
  valueEnd = 0

  /** Finds the parts of the KeyValue at `[reader.pos, end)`, and leaves the reader at its end. Of each the last counts. */
  read(reader: WireReader, end: number): void {
    this.keyStart = 0
    this.keyEnd = 0
    this.hasValue = false
    this.valueStart = end
    this.valueEnd = end
    while (reader.pos < end) {
      const tag = reader.tag(end)
      if (tag === KeyValue.key) {
        this.keyEnd = reader.length(end)
        this.keyStart = reader.pos
        reader.pos = this.keyEnd
      } else if (tag === KeyValue.value) {
        this.valueEnd = reader.length(end)
        this.valueStart = reader.pos
        this.hasValue = true
        reader.pos = this.valueEnd
      } else reader.skip(tag, end)
    }
  }
}
