import { context, isSpanContextValid, trace } from '@opentelemetry/api'
import type { ContextOptions } from '../../context/context.ts'

/**
 * The context that a request opens. Under a span of the tracing SDK it is that span's: its instrumentation has read the
 * header already.
 */
export function requestContext(
  traceparent: string | readonly string[] | undefined,
  attributes: ContextOptions['attributes'],
): ContextOptions {
  const span = trace.getSpanContext(context.active())
  return span !== undefined && isSpanContextValid(span)
    ? { attributes }
    : { traceparent, attributes, fresh: 'span' }
}
