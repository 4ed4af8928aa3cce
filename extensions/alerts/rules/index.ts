import { bufferRules } from './buffer.ts'
import { deliveryRules } from './delivery.ts'
import { healthRules } from './health.ts'
import { redisRules } from './redis.ts'
import type { Rule } from './rule.ts'

/** Every alert there is. */
export const rules: readonly Rule[] = [...bufferRules, ...redisRules, ...deliveryRules, ...healthRules]
