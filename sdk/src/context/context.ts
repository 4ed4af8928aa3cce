import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import { context as otelContext, type SpanContext, trace } from '@opentelemetry/api'
import type { AttributeBlock } from '../record/attribute-block.ts'
import { traceBytes } from './trace-bytes.ts'
import { formatTraceparent, parseTraceparent, type TraceContext } from './traceparent.ts'

/** What `withContext` opens. */
export interface ContextOptions {
  /**
   * The header that came with a request. One that is not valid is as none. Without one, the trace of the surrounding
   * context stays.
   */
  readonly traceparent?: string | readonly string[] | undefined
  /** Attributes of every record that is logged within; those of the surrounding context stay. */
  readonly attributes?: Readonly<Record<string, unknown>> | undefined
  /**
   * `span`: a span id of its own, in the same trace, or in a new one where there is none; for a request that comes in.
   * `trace`: a trace of its own in any case; for work that begins here.
   */
  readonly fresh?: 'span' | 'trace' | undefined
}

/** The context of a piece of work, and of all that it awaits. */
interface LogContext {
  readonly trace: TraceContext | undefined
  readonly traceBytes: Uint8Array | undefined
  readonly attributes: Readonly<Record<string, unknown>> | undefined
  /** The span that was active around it: one that was started later is nearer to the record. */
  readonly outerSpan: SpanContext | undefined
  /** The attributes as bytes, for the logger that encoded them last. */
  encoded: { readonly by: object; readonly block: AttributeBlock } | undefined
}

const SAMPLED = 0x01
const NOTHING: AttributeBlock = { keys: [], ends: [], bytes: new Uint8Array(0) }
const storage = new AsyncLocalStorage<LogContext>()

/**
 * Runs `fn`, and all that it awaits, in a context: records that are logged within carry its trace and attributes.
 * Works without the tracing SDK. A span of `@opentelemetry/api` that is started within counts more.
 *
 * @example
 * ```ts
 * server.on('request', (request, response) => {
 *   withContext({ traceparent: request.headers.traceparent, fresh: 'span' }, () => handle(request, response))
 * })
 * ```
 */
export function withContext<T>(options: ContextOptions, fn: () => T): T {
  const outer = storage.getStore()
  const parent = parseTraceparent(options.traceparent) ?? currentTrace()
  const trace = freshened(parent, options.fresh)
  return storage.run(
    {
      trace,
      traceBytes: trace === undefined ? undefined : traceBytes(trace),
      attributes:
        options.attributes === undefined
          ? outer?.attributes
          : { ...outer?.attributes, ...options.attributes },
      outerSpan: activeSpan(),
      encoded: undefined,
    },
    fn,
  )
}

function freshened(
  parent: TraceContext | undefined,
  fresh: ContextOptions['fresh'],
): TraceContext | undefined {
  if (fresh === undefined) return parent
  const spanId = randomId(8)
  if (fresh === 'span' && parent !== undefined) return { ...parent, spanId }
  return { traceId: randomId(16), spanId, flags: SAMPLED }
}

function randomId(size: number): string {
  const id = randomBytes(size).toString('hex')
  return /^0+$/.test(id) ? randomId(size) : id
}

function activeSpan(): SpanContext | undefined {
  return trace.getSpanContext(otelContext.active())
}

/** The trace that a record logged here would carry: of the active span, or of the innermost `withContext`. */
export function currentTrace(): TraceContext | undefined {
  const own = storage.getStore()
  const span = activeSpan()
  if (span === undefined || (own?.trace !== undefined && span === own.outerSpan)) return own?.trace
  if (traceBytes({ ...span, flags: span.traceFlags }) === undefined) return own?.trace
  return { traceId: span.traceId, spanId: span.spanId, flags: span.traceFlags }
}

/**
 * The `traceparent` header for a call to another service, so that its records are found by the same trace id.
 *
 * @example
 * ```ts
 * const traceparent = currentTraceparent()
 * await fetch(url, { headers: traceparent === undefined ? {} : { traceparent } })
 * ```
 */
export function currentTraceparent(): string | undefined {
  const trace = currentTrace()
  return trace && formatTraceparent(trace)
}

/** The bytes of the span that was looked at last: a span logs more than once. */
let lastSpan: SpanContext | undefined
let lastBytes: Uint8Array | undefined

/** The trace fields of a record that is logged now. */
export function currentTraceBytes(): Uint8Array | undefined {
  const own = storage.getStore()
  const span = activeSpan()
  if (span === undefined || (own?.trace !== undefined && span === own.outerSpan)) return own?.traceBytes
  if (span !== lastSpan) {
    lastBytes = traceBytes({ traceId: span.traceId, spanId: span.spanId, flags: span.traceFlags })
    lastSpan = span
  }
  return lastBytes ?? own?.traceBytes
}

/** The attributes of the context, encoded by `encode` the first time that `by` asks. */
export function currentBlock(
  by: object,
  encode: (attributes: object) => AttributeBlock,
): AttributeBlock | undefined {
  const own = storage.getStore()
  if (own?.attributes === undefined) return undefined
  if (own.encoded?.by === by) return own.encoded.block
  // What is read meanwhile may log, in this same context.
  own.encoded = { by, block: NOTHING }
  const block = encode(own.attributes)
  own.encoded = { by, block }
  return block
}
