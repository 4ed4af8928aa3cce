import { currentTrace } from '../../context/context.ts'
import { parseTraceparent } from '../../context/traceparent.ts'

/** Names of the fields in which the records of another library tell of their trace. */
export interface CorrelationKeys {
  /** Default `trace_id`. */
  readonly traceId?: string
  /** Default `span_id`. */
  readonly spanId?: string
  /** Default `trace_flags`: two digits of hex, or a number. */
  readonly traceFlags?: string
  /** Default `traceparent`: all three, as the header has them. */
  readonly traceparent?: string
}

/** Names that are all there. */
export type AllKeys = Required<CorrelationKeys>

export function allKeys(keys: CorrelationKeys = {}): AllKeys {
  return {
    traceId: keys.traceId ?? 'trace_id',
    spanId: keys.spanId ?? 'span_id',
    traceFlags: keys.traceFlags ?? 'trace_flags',
    traceparent: keys.traceparent ?? 'traceparent',
  }
}

/** The trace of the context that a record is logged in, as fields of it. */
export function traceFields(keys: AllKeys): Record<string, string> {
  const trace = currentTrace()
  if (trace === undefined) return {}
  return {
    [keys.traceId]: trace.traceId,
    [keys.spanId]: trace.spanId,
    [keys.traceFlags]: hexOf(trace.flags),
  }
}

/** Takes the trace out of the fields of a record; they stay where they are none. */
export function takeTraceparent(
  fields: Record<string, unknown>,
  keys: AllKeys,
): { readonly traceparent: string | undefined; readonly fields: Record<string, unknown> } {
  const {
    [keys.traceId]: traceId,
    [keys.spanId]: spanId,
    [keys.traceFlags]: flags,
    [keys.traceparent]: header,
    ...others
  } = fields
  const own =
    typeof traceId === 'string' && typeof spanId === 'string'
      ? `00-${traceId}-${spanId}-${hexOf(flags)}`.toLowerCase()
      : undefined
  for (const traceparent of [own, header]) {
    if (typeof traceparent === 'string' && parseTraceparent(traceparent) !== undefined)
      return { traceparent, fields: others }
  }
  return { traceparent: undefined, fields }
}

/** Without flags a record is taken for sampled: it is here. */
function hexOf(flags: unknown): string {
  if (typeof flags === 'string') return flags
  return typeof flags === 'number' ? (flags & 0xff).toString(16).padStart(2, '0') : '01'
}
