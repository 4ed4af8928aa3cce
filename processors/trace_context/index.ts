import { z } from 'zod'
import { defineProcessor } from '../../src/define.ts'
import { KeySet } from '../../src/logs/key-set.ts'
import type { LogRecord } from '../../src/logs/record.ts'

const NONE = new Uint8Array(0)
const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/i
const SPAN_ID = /^(?!0{16})[0-9a-f]{16}$/i
/** W3C Trace Context section 3.2: version, trace id, parent id, flags; later versions may append. */
const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/

const names = (...defaults: string[]) => z.array(z.string().min(1)).default(defaults)

interface Found {
  readonly traceId?: string
  readonly spanId?: string
  readonly flags?: number
}

/** Gives records the trace context that their application only wrote into attributes. */
export const traceContext = defineProcessor({
  type: 'trace_context',
  summary:
    'Fills trace id, span id and flags from attributes where a record has none, and clears invalid ids.',
  config: z.strictObject({
    traceparent: names('traceparent').describe(
      'Attributes that hold a W3C traceparent; the first usable one counts.',
    ),
    trace_id: names('trace_id', 'traceId', 'trace.id').describe('Attributes that hold a trace id in hex.'),
    span_id: names('span_id', 'spanId', 'span.id').describe('Attributes that hold a span id in hex.'),
    trace_flags: names('trace_flags', 'traceFlags').describe(
      'Attributes that hold the flags in hex, or as a number.',
    ),
  }),
  example: {},

  create(config, { metrics }) {
    const counter = (outcome: string) =>
      metrics.counter('sluice_trace_context_log_records_total', 'Records whose trace context was changed.', {
        outcome,
      })
    const sources = new KeySet([
      ...config.traceparent,
      ...config.trace_id,
      ...config.span_id,
      ...config.trace_flags,
    ])
    const filledTotal = counter('filled')
    const clearedTotal = counter('cleared')

    const text = (
      record: LogRecord,
      attributes: readonly string[],
      pattern: RegExp,
    ): RegExpExecArray | undefined => {
      for (const name of attributes) {
        const value = record.attribute(name)
        const match = typeof value === 'string' ? pattern.exec(value) : null
        if (match) return match
      }
      return undefined
    }
    const find = (record: LogRecord): Found => {
      const parent = text(record, config.traceparent, TRACEPARENT)
      if (parent) return { traceId: parent[1], spanId: parent[2], flags: Number.parseInt(parent[3], 16) }
      const traceId = text(record, config.trace_id, TRACE_ID)?.[0]
      const spanId = text(record, config.span_id, SPAN_ID)?.[0]
      const flags = flagsOf(record, config.trace_flags)
      return { ...(traceId && { traceId }), ...(spanId && { spanId }), ...(flags !== undefined && { flags }) }
    }

    return {
      process(batch) {
        let filled = 0
        let cleared = 0
        batch.forEach((record) => {
          const trace = record.traceIdState
          const span = record.spanIdState
          if (trace === 'valid' && span !== 'invalid') return
          const found = trace === 'valid' || !record.hasAttribute(sources) ? {} : find(record)
          const traceId = found.traceId
            ? Buffer.from(found.traceId, 'hex')
            : trace === 'invalid'
              ? NONE
              : undefined
          // A span belongs to its trace: one from an attribute goes only with a record that has none of its own.
          const useSpan = found.spanId !== undefined && span !== 'valid' && found.traceId !== undefined
          const spanId = useSpan ? Buffer.from(found.spanId, 'hex') : span === 'invalid' ? NONE : undefined
          const flags = found.traceId !== undefined && !record.hasFlags ? found.flags : undefined
          if (found.traceId !== undefined) filled++
          else if (trace === 'invalid' || span === 'invalid') cleared++
          if (traceId === undefined && spanId === undefined && flags === undefined) return
          record.setTraceContext({
            ...(traceId && { traceId }),
            ...(spanId && { spanId }),
            ...(flags !== undefined && { flags }),
          })
        })
        if (filled > 0) filledTotal.inc(filled)
        if (cleared > 0) clearedTotal.inc(cleared)
      },
    }
  },
})

function flagsOf(record: LogRecord, attributes: readonly string[]): number | undefined {
  for (const name of attributes) {
    const value = record.attribute(name)
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xff) return value
    if (typeof value === 'string' && /^[0-9a-f]{1,2}$/i.test(value)) return Number.parseInt(value, 16)
  }
  return undefined
}
