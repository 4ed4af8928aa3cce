/** What a log record tells of a trace. Ids are in lower-case hex. */
export interface TraceContext {
  readonly traceId: string
  readonly spanId: string
  /** W3C trace flags: bit 0 is `sampled`. */
  readonly flags: number
}

/** Version, trace id, parent id and flags; ids that are all zero are invalid: W3C Trace Context, section 3.2.2. */
const TRACEPARENT = /^([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/**
 * Reads a `traceparent` header by the letter of W3C Trace Context: lower-case hex only, nothing after version 00, and
 * what a later version may append ignored (section 4.3). Undefined for anything else.
 */
export function parseTraceparent(header: unknown): TraceContext | undefined {
  const match = typeof header === 'string' ? TRACEPARENT.exec(header) : null
  if (match === null) return undefined
  const [, version, traceId, spanId, flags, rest] = match
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined
  return { traceId, spanId, flags: Number.parseInt(flags, 16) }
}

/** The header for a call that belongs to the trace. */
export function formatTraceparent({ traceId, spanId, flags }: TraceContext): string {
  return `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`
}
