import type { Authenticator } from '../component.ts'
import type { ServiceConfig } from '../config/config.ts'
import { contextOf, known, type Surroundings } from './context.ts'
import type { Part } from './parts.ts'

/** The authenticators of a config. They start before everything that asks them, in every process. */
export function authenticatorsOf(
  { enabledExtensions, extensions }: ServiceConfig,
  surroundings: Omit<Surroundings, 'authenticators'>,
): { readonly authenticators: ReadonlyMap<string, Authenticator>; readonly parts: readonly Part[] } {
  const authenticators = new Map<string, Authenticator>()
  for (const id of enabledExtensions) {
    const { definition, config } = known(extensions, id)
    if (!definition.isAuthenticator) continue
    const context = {
      ...contextOf({ ...surroundings, authenticators }, 'extension', id),
      status: () => surroundings.health.status(),
      readings: async () => [],
    }
    authenticators.set(id, definition.create(config, context) as Authenticator)
  }
  return { authenticators, parts: [...authenticators].map(([id, lifecycle]) => ({ id, lifecycle })) }
}
