import type { GrpcSettings } from '../../config.ts'
import { HEALTH, healthMethods } from './health.ts'
import type { Methods } from './method.ts'
import type { Serving } from './serving.ts'

/** What is served besides LogsService. */
export async function methodsOf(settings: GrpcSettings, serving: Serving): Promise<Methods> {
  const health: Methods = settings.health ? healthMethods(serving) : new Map()
  if (!settings.reflection) return health
  const { reflectionMethods } = await import('./reflection.ts')
  return new Map([...health, ...reflectionMethods((service) => settings.health || service !== HEALTH)])
}
