import { Buffer } from 'node:buffer'
import { LogRecord } from '../record/fields.ts'
import type { TraceContext } from './traceparent.ts'

const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/i
const SPAN_ID = /^(?!0{16})[0-9a-f]{16}$/i

/** The fields `flags`, `trace_id` and `span_id` of a LogRecord; undefined where an id is invalid. */
export function traceBytes({ traceId, spanId, flags }: TraceContext): Uint8Array | undefined {
  if (!TRACE_ID.test(traceId) || !SPAN_ID.test(spanId)) return undefined
  return Buffer.concat([
    Buffer.from([LogRecord.flags, flags & 0xff, 0, 0, 0, LogRecord.traceId, 16]),
    Buffer.from(traceId, 'hex'),
    Buffer.from([LogRecord.spanId, 8]),
    Buffer.from(spanId, 'hex'),
  ])
}
