export const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
export const SPAN_ID = 'b7ad6b7169203331'
export const TRACEPARENT = `00-${TRACE_ID}-${SPAN_ID}-01`

/** The trace id, span id and flags of a record, as in a `traceparent`; empty where it has none. */
export function traceOf({ traceId, spanId, flags }: TracedRecord): string {
  if (traceId.length === 0) return ''
  const [trace, span] = [traceId, spanId].map((id) => Buffer.from(id).toString('hex'))
  return `00-${trace}-${span}-${flags.toString(16).padStart(2, '0')}`
}

interface TracedRecord {
  readonly traceId: Uint8Array
  readonly spanId: Uint8Array
  readonly flags: number
}
