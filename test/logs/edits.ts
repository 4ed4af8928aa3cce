import { LogBatch } from '../../src/logs/batch.ts'
import type { Scan } from '../../src/logs/rewrite-texts.ts'
import { type AnyValue, decodeRequest, type KeyValue, type Request, withoutEmpty } from '../oracle/oracle.ts'

const LETTER_A = 0x61

/** Finds the letter that `replaceA` replaces. */
export const scanForA: Scan = (bytes, start, end, found) => {
  for (let at = bytes.indexOf(LETTER_A, start); at !== -1 && at < end; at = bytes.indexOf(LETTER_A, at + 1))
    found(at)
}
export const scanNothing: Scan = () => {}
export const replaceA = (text: string): string => text.replaceAll('a', 'XYZ')

/** A batch that can be encoded, the same whenever it is decoded. */
export function decoded(bytes: Buffer): LogBatch {
  const batch = LogBatch.decode(bytes, 1_750_000_000_000)
  batch.identify(Buffer.alloc(32))
  return batch
}

export const encoded = (batch: LogBatch): Buffer =>
  Buffer.concat(batch.encode(Number.POSITIVE_INFINITY).map(({ bytes }) => bytes))
/** What the oracle reads of a batch. */
export const contentOf = (batch: LogBatch): Request => withoutEmpty(decodeRequest(encoded(batch)))

/** Calls `visit` with every text that redaction reaches and puts what it returns in its place. */
export function rewritten(request: Request, visit: (text: string) => string): Request {
  const copy = withoutEmpty(structuredClone(request))
  const rewriteValue = ({ value: any }: AnyValue): void => {
    if (any.case === 'stringValue') any.value = visit(any.value)
    else if (any.case === 'arrayValue') any.value.values.forEach(rewriteValue)
    else if (any.case === 'kvlistValue') any.value.values.forEach(rewriteAttribute)
  }
  const rewriteAttribute = (attribute: KeyValue): void => {
    attribute.key = visit(attribute.key)
    if (attribute.value) rewriteValue(attribute.value)
  }
  for (const { resource, scopeLogs } of copy.resourceLogs) {
    resource?.attributes.forEach(rewriteAttribute)
    for (const { scope, logRecords } of scopeLogs) {
      if (scope) {
        scope.name = visit(scope.name)
        scope.version = visit(scope.version)
        scope.attributes.forEach(rewriteAttribute)
      }
      for (const record of logRecords) {
        record.severityText = visit(record.severityText)
        record.eventName = visit(record.eventName)
        record.attributes.forEach(rewriteAttribute)
        if (record.body) rewriteValue(record.body)
      }
    }
  }
  return copy
}
