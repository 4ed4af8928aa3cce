import { type Attributes, type Context, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import type { AnyValue, AnyValueMap } from '@opentelemetry/api-logs'
import { OTLPLogExporter as GrpcExporter } from '@opentelemetry/exporter-logs-otlp-grpc'
import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http'
import { OTLPLogExporter as ProtoExporter } from '@opentelemetry/exporter-logs-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from '@opentelemetry/sdk-logs'
import type { Telling, ToldRecord } from './records.ts'
import type { Attribute, Value } from './values.ts'

const NANOSECONDS = 1_000_000_000n
/** An enum of theirs, whose values are the words. */
type Compression = NonNullable<NonNullable<ConstructorParameters<typeof ProtoExporter>[0]>['compression']>
const EXPORTERS = { grpc: GrpcExporter, http: ProtoExporter, json: JsonExporter }

/** Sends records with the OpenTelemetry SDK of this process. */
export async function sendByJavaScript(
  telling: Telling,
  name: string,
  { protocol, compression, url }: { protocol: keyof typeof EXPORTERS; compression: string; url: string },
): Promise<void> {
  const exporter: LogRecordExporter = new EXPORTERS[protocol]({
    url,
    compression: compression as Compression,
  })
  const { resource, scope, records } = telling
  const provider = new LoggerProvider({
    resource: resourceFromAttributes({ ...nativeMap(resource), client: name } as Attributes),
    processors: [new BatchLogRecordProcessor({ exporter })],
  })
  const logger = provider.getLogger(scope.name, scope.version, {
    schemaUrl: scope.schemaUrl,
    attributes: nativeMap(scope.attributes) as Attributes,
  })
  for (const record of records) {
    logger.emit({
      timestamp: timeOf(record.time),
      observedTimestamp: timeOf(record.observed),
      severityNumber: record.severity,
      severityText: record.severityText,
      eventName: record.eventName,
      body: native(record.body),
      attributes: nativeMap(record.attributes),
      context: contextOf(record),
    })
  }
  await provider.forceFlush()
  await provider.shutdown()
}

/** Seconds and nanoseconds: a number does not hold both. */
const timeOf = (time: bigint): [number, number] => [Number(time / NANOSECONDS), Number(time % NANOSECONDS)]

function contextOf({ traceId, spanId, flags }: ToldRecord): Context {
  return traceId === ''
    ? ROOT_CONTEXT
    : trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: flags })
}

function native(value: Value): AnyValue {
  if (value === null) return null
  if ('string' in value) return value.string
  if ('bool' in value) return value.bool
  if ('int' in value) return Number(value.int)
  if ('double' in value) return value.double
  if ('bytes' in value) return Uint8Array.from(Buffer.from(value.bytes, 'hex'))
  return 'array' in value ? value.array.map(native) : nativeMap(value.map)
}

/** `__proto__` is a key like any other only where it is defined. */
function nativeMap(members: readonly Attribute[]): AnyValueMap {
  return Object.fromEntries(members.map(([key, value]) => [key, native(value)]))
}
