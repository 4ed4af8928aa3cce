import { trace } from '@opentelemetry/api'
import type { Logger as ApiLogger, LoggerProvider, LogRecord } from '@opentelemetry/api-logs'
import { emitRead } from '../bridges/shared/emit.ts'
import { errorOfPlain } from '../bridges/shared/plain-error.ts'
import { numberOfLevel } from '../bridges/shared/severities.ts'
import { formatTraceparent } from '../context/traceparent.ts'
import type { ForeignRecord, Logger } from '../logger/logger.ts'
import { isError } from '../record/error.ts'
import { nanosOfInput } from './time.ts'

const INFO = 9

/**
 * A `LoggerProvider` of the OpenTelemetry API over a logger, so that libraries which log through the API need no
 * other SDK. An API logger is a child of its name and version; its attributes are `otel.scope.*`.
 *
 * @example
 * ```ts
 * logs.setGlobalLoggerProvider(loggerProvider(createLogger({ service: 'shop' })))
 * ```
 */
export function loggerProvider(log: Logger): LoggerProvider {
  return {
    getLogger(name, version, options) {
      const attributes = Object.entries(options?.attributes ?? {})
      const scope = Object.fromEntries(attributes.map(([key, value]) => [`otel.scope.${key}`, value]))
      return apiLogger(log.child(scope, { name, version }))
    },
  }
}

function apiLogger(log: Logger): ApiLogger {
  return {
    emit: (record) => emitRead(log, severityOf(record), () => contentOf(record)),
    enabled: (options) => log.enabled(options?.severityNumber || INFO),
  }
}

/** A record without a severity matters as much as most do. */
function severityOf({ severityNumber, severityText = '' }: LogRecord): number {
  return severityNumber || numberOfLevel(severityText) || INFO
}

function contentOf(record: LogRecord): Omit<ForeignRecord, 'severity'> {
  const { attributes, body, context, eventName, exception, severityText, timestamp } = record
  const span = context && trace.getSpanContext(context)
  const error = isError(exception) ? exception : errorOfPlain(exception)
  const message = error === undefined && typeof exception === 'string' ? exception : undefined
  return {
    severityText,
    body,
    fields: message === undefined ? attributes : { 'exception.message': message, ...attributes },
    error,
    eventName,
    time: nanosOfInput(timestamp),
    traceparent: span && formatTraceparent({ ...span, flags: span.traceFlags }),
  }
}
