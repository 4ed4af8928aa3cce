import { currentBlock, currentTraceBytes } from '../context/context.ts'
import type { Diagnostics } from '../diagnostics.ts'
import type { RecordSettings } from '../options/settings.ts'
import type { RecordSink, Scope } from '../pipe/sink.ts'
import type { AttributeBlock } from '../record/attribute-block.ts'
import { Clock } from '../record/clock.ts'
import { RecordEncoder, type RecordParts } from '../record/encoder.ts'
import { jsonText } from '../record/plain.ts'
import { Redaction } from '../record/redact/redaction.ts'
import { UlidSource } from '../record/ulid.ts'

/** Calls within calls: a getter that logs, which the record that it is logged with does. */
const MAX_DEPTH = 4
const UNREADABLE = '[Unloggable record]'

/** What a call says. */
export type Said = Pick<RecordParts, 'severity' | 'body'> & Partial<Omit<RecordParts, 'bindings' | 'shared'>>

/** Encodes what all loggers of one root say, and hands it to the sink. Never throws. */
export class Recorder {
  readonly json = (value: unknown): string => jsonText(value, this.#settings.limits, this.#redaction)
  readonly #sink: RecordSink
  readonly #settings: RecordSettings
  readonly #diagnostics: Diagnostics
  readonly #redaction: Redaction
  readonly #clock = new Clock()
  readonly #ulids = new UlidSource()
  /** One for each call within a call. */
  readonly #encoders: RecordEncoder[] = []
  #depth = 0

  constructor(sink: RecordSink, settings: RecordSettings, diagnostics: Diagnostics) {
    this.#sink = sink
    this.#settings = settings
    this.#diagnostics = diagnostics
    this.#redaction = new Redaction(settings.redaction)
  }

  /** What is undefined in `said` is taken from where the call is: the trace, the time, the attributes of the context. */
  record(scope: Scope, bindings: AttributeBlock | undefined, said: Said): void {
    const depth = this.#depth
    try {
      this.#depth++
      const shared = currentBlock(this, this.block)
      this.#write(depth, scope, {
        severity: said.severity,
        body: depth > MAX_DEPTH ? UNREADABLE : said.body,
        fields: depth > MAX_DEPTH ? undefined : said.fields,
        error: depth > MAX_DEPTH ? undefined : said.error,
        code: said.code,
        bindings,
        shared,
        trace: said.trace ?? currentTraceBytes(),
        eventName: said.eventName,
        time: said.time,
      })
    } catch (error) {
      this.#fall(depth, scope, said, error)
    } finally {
      this.#depth = depth
    }
  }

  /** Attributes for records to come. Empty where they cannot be read. */
  readonly block = (attributes: object): AttributeBlock => {
    const depth = this.#depth++
    try {
      return this.#encoder(depth).block(attributes)
    } finally {
      this.#depth = depth
    }
  }

  #write(depth: number, scope: Scope, parts: RecordParts): void {
    const encoder = this.#encoder(depth)
    encoder.encode(parts)
    this.#sink.accept(scope, parts.severity.number, encoder.out.bytes, 0, encoder.out.pos)
  }

  #encoder(depth: number): RecordEncoder {
    let encoder = this.#encoders[depth]
    if (encoder === undefined) {
      encoder = new RecordEncoder(this.#settings, this.#redaction, this.#clock, this.#ulids)
      this.#encoders[depth] = encoder
    }
    return encoder
  }

  /** Something in the call, the stack's end perhaps, kept the record from being written: what is certain is. */
  #fall(depth: number, scope: Scope, { severity, eventName }: Said, error: unknown): void {
    const nothing = {
      fields: undefined,
      error: undefined,
      code: undefined,
      bindings: undefined,
      shared: undefined,
    }
    const rest = { severity, eventName, body: UNREADABLE, trace: undefined, time: undefined }
    try {
      this.#write(depth, scope, { ...nothing, ...rest })
      const kind = error instanceof Error ? error.name : typeof error
      this.#diagnostics.warn('record', `a record could not be read (${kind}): logged without its content`)
    } catch {
      // The stack is at its end for this too: whoever called is about to learn of it.
    }
  }
}
