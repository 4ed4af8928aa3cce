export {
  attributesMet,
  bodyMet,
  check,
  contextLongInts,
  keyMet,
  resourceCount,
  scopeCount,
  valueMet,
} from './check'
export { digitRuns } from './digit-runs'
export { readRecord, timeMs, writeRecord } from './json-record'
export {
  ASIDE,
  ASIDE_SIZE,
  CONTEXT,
  CONTEXT_SIZE,
  HITS,
  INPUT,
  INPUT_SIZE,
  OUTPUT,
  OUTPUT_SIZE,
  RECORDS,
  RESOURCES,
  SCOPES,
} from './memory'
