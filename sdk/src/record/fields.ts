/** Tags (field number and wire type) of opentelemetry/proto/logs/v1/logs.proto and common/v1/common.proto. */

export const LogRecord = {
  timeUnixNano: 0x09,
  severityNumber: 0x10,
  severityText: 0x1a,
  body: 0x2a,
  attributes: 0x32,
  droppedAttributesCount: 0x38,
  flags: 0x45,
  traceId: 0x4a,
  spanId: 0x52,
  observedTimeUnixNano: 0x59,
  eventName: 0x62,
} as const

export const AnyValue = {
  stringValue: 0x0a,
  boolValue: 0x10,
  intValue: 0x18,
  doubleValue: 0x21,
  arrayValue: 0x2a,
  kvlistValue: 0x32,
  bytesValue: 0x3a,
} as const

/** Of ArrayValue and KeyValueList, and of the attributes of a Resource. */
export const ELEMENT = 0x0a

export const KeyValue = { key: 0x0a, value: 0x12 } as const
