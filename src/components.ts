import { disk } from '../connectors/disk/index.ts'
import { redis } from '../connectors/redis/index.ts'
import { debug } from '../exporters/debug/index.ts'
import { elasticsearch } from '../exporters/elasticsearch/index.ts'
import { file } from '../exporters/file/index.ts'
import { alerts } from '../extensions/alerts/index.ts'
import { basicAuth } from '../extensions/basicauth/index.ts'
import { bearerTokenAuth } from '../extensions/bearertokenauth/index.ts'
import { healthCheck } from '../extensions/health_check/index.ts'
import { oidc } from '../extensions/oidc/index.ts'
import { redaction } from '../processors/redaction/index.ts'
import { sampling } from '../processors/sampling/index.ts'
import { traceContext } from '../processors/trace_context/index.ts'
import { otlp } from '../receivers/otlp/index.ts'
import type { ComponentDefinition } from './define.ts'

/** Every component there is. A new one is its folder, its test, and a line here. */
export const components: readonly ComponentDefinition[] = [
  otlp,
  redaction,
  traceContext,
  sampling,
  redis,
  disk,
  elasticsearch,
  file,
  debug,
  healthCheck,
  alerts,
  basicAuth,
  bearerTokenAuth,
  oidc,
]
