import type { z } from 'zod'
import type { ComponentDefinition } from '../define.ts'
import { check } from './check.ts'
import { suggestion } from './nearest.ts'
import { type Kind, NAME } from './schema.ts'
import type { Source } from './source.ts'

export type DefinitionOf<K extends Kind> = Extract<ComponentDefinition, { readonly kind: K }>

/** A component of a config file: what it is, and how it is to be. */
export interface Configured<Definition extends ComponentDefinition = ComponentDefinition> {
  /** `otlp`, or `otlp/internal`. */
  readonly id: string
  readonly definition: Definition
  /** As the component reads it: defaults filled in, durations in milliseconds. */
  readonly config: z.output<Definition['config']>
  /** As the user wrote it. */
  readonly written: unknown
}

/** Checks the components of one section, each with the schema of its type. */
export function componentsOf<K extends Kind>(
  source: Source,
  kind: K,
  section: Readonly<Record<string, unknown>>,
  registry: readonly ComponentDefinition[],
): ReadonlyMap<string, Configured<DefinitionOf<K>>> {
  const definitions = new Map<string, DefinitionOf<K>>()
  for (const definition of registry)
    if (isOfKind(definition, kind)) definitions.set(definition.type, definition)

  const components = new Map<string, Configured<DefinitionOf<K>>>()
  for (const [id, settings] of Object.entries(section)) {
    const path = [`${kind}s`, id]
    const [type, ...name] = id.split('/')
    if (name.length > 0 && !NAME.test(name.join('/'))) {
      source.report(path, 'after the slash stand letters, digits, ".", "_" and "-" only', 'key')
    }
    const definition = definitions.get(type)
    if (definition === undefined) {
      source.report(path, unknownType(kind, type, definitions.keys(), registry), 'key')
      continue
    }
    const checked = check<z.ZodType>(source, path, definition.config, settings)
    if (checked === undefined) continue
    const { value, written } = checked
    components.set(id, { id, definition, config: value, written } as Configured<DefinitionOf<K>>)
  }
  return components
}

function isOfKind<K extends Kind>(definition: ComponentDefinition, kind: K): definition is DefinitionOf<K> {
  return definition.kind === kind
}

function unknownType(
  kind: Kind,
  type: string,
  known: Iterable<string>,
  registry: readonly ComponentDefinition[],
): string {
  const elsewhere = registry.find((definition) => definition.type === type)
  if (elsewhere) return `"${type}" is no ${kind}, it belongs under ${elsewhere.kind}s`
  return `unknown ${kind} type${suggestion(type, known)}`
}
