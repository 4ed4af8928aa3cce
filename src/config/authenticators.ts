import type { AuthenticatorUse, ComponentDefinition } from '../define.ts'
import type { Configured, DefinitionOf } from './components.ts'
import { suggestion } from './nearest.ts'
import type { Source } from './source.ts'

/** Checks that every authenticator that is named is an extension, one that authenticates, and one that is started. */
export function checkAuthenticators(
  source: Source,
  extensions: ReadonlyMap<string, Configured<DefinitionOf<'extension'>>>,
  enabled: readonly string[],
  uses: readonly AuthenticatorUse[],
): void {
  const able = [...extensions.values()]
    .filter(({ definition }) => definition.isAuthenticator)
    .map(({ id }) => id)
  for (const { path, id } of uses) {
    const problem = extensions.has(id)
      ? problemWith(id, able.includes(id), enabled.includes(id))
      : `extension "${id}" is not defined${suggestion(id, able)}`
    if (problem) source.report(path, problem)
  }
}

/** The authenticators that components name, each with its place in the file. */
export function authenticatorUses(
  section: string,
  components: ReadonlyMap<string, Configured<ComponentDefinition>>,
): AuthenticatorUse[] {
  return [...components.values()].flatMap(({ id, definition, config }) =>
    (definition.authenticators?.(config as never) ?? []).map((use) => ({
      id: use.id,
      path: [section, id, ...use.path],
    })),
  )
}

function problemWith(id: string, isAble: boolean, isEnabled: boolean): string | undefined {
  if (!isAble) return `extension "${id}" does not authenticate`
  return isEnabled ? undefined : `extension "${id}" is not started: name it in service.extensions`
}
