export { check, contextLongInts, resourceCount, scopeCount } from './check'
export { digitRuns } from './digit-runs'
export {
  HITS,
  INPUT,
  INPUT_SIZE,
  OUTPUT,
  OUTPUT_SIZE,
  RECORDS,
  RESOURCES,
  SCOPES,
} from './memory'
