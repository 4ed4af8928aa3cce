import type { z } from 'zod'
import type { AuthenticatorUse, ComponentDefinition } from '../define.ts'
import { authenticatorUses, checkAuthenticators } from './authenticators.ts'
import { type Checked, checkFields } from './check.ts'
import { type Configured, componentsOf, type DefinitionOf } from './components.ts'
import type { Environment } from './environment.ts'
import type { ConfigIssue } from './errors.ts'
import { overflowsOf } from './overflows.ts'
import { type PipelineConfig, pipelinesOf } from './pipelines.ts'
import { type ProcessGroup, processGroupsOf } from './processes.ts'
import { checkReferences, checkUse, type DefinedIds } from './references.ts'
import { File, KINDS, type Kind, Service } from './schema.ts'
import { Source } from './source.ts'

/** A config file, checked: every name in it leads to a component, every option is one the component knows. */
export interface ServiceConfig {
  /** The file as the user named it. */
  readonly file: string
  /** What the file held, so that other processes run the very same config. */
  readonly text: string
  readonly receivers: ReadonlyMap<string, Configured<DefinitionOf<'receiver'>>>
  readonly processors: ReadonlyMap<string, Configured<DefinitionOf<'processor'>>>
  readonly exporters: ReadonlyMap<string, Configured<DefinitionOf<'exporter'>>>
  readonly connectors: ReadonlyMap<string, Configured<DefinitionOf<'connector'>>>
  readonly extensions: ReadonlyMap<string, Configured<DefinitionOf<'extension'>>>
  /** Ids of the extensions to start, in this order. */
  readonly enabledExtensions: readonly string[]
  /** All pipelines, in the order of the file. */
  readonly pipelines: readonly PipelineConfig[]
  /** Which pipelines run together in how many processes; one group of all for a number; undefined without `processes`. */
  readonly processes: readonly ProcessGroup[] | undefined
  readonly telemetry: z.output<typeof Service>['telemetry']
  readonly shutdownTimeoutMs: number
  /** What is odd about the file, but no reason to refuse it. */
  readonly warnings: readonly ConfigIssue[]
  /** The `service` section as the user wrote it. */
  readonly written: Readonly<Record<string, unknown>>
  /** Id of the overflow of each connector that has one. */
  readonly overflows: ReadonlyMap<string, string>
  /** The pipelines of the whole file that read from a connector, run here or elsewhere. */
  groups(connectorId: string): readonly string[]
}

/** Reads and checks a config file. Throws one `ConfigError` with everything that is wrong with it. */
export function loadConfig(
  file: string,
  text: string,
  registry: readonly ComponentDefinition[],
  env: Environment = process.env,
): ServiceConfig {
  const source = new Source(file, text, env)
  const sections = checkFields(source, [], File, source.value)
  const configure = <K extends Kind>(kind: K) =>
    componentsOf(source, kind, sections[`${kind}s`]?.value ?? {}, registry)
  const components = {
    receivers: configure('receiver'),
    processors: configure('processor'),
    exporters: configure('exporter'),
    connectors: configure('connector'),
    extensions: configure('extension'),
  }
  const service = sections.service && checkFields(source, ['service'], Service, sections.service.value)
  const named = service?.pipelines?.value ?? {}
  const pipelines = pipelinesOf(source, named)
  const enabledExtensions = service?.extensions?.value ?? []

  checkAuthenticators(source, components.extensions, enabledExtensions, [
    ...authenticatorUses('receivers', components.receivers),
    ...authenticatorUses('extensions', components.extensions),
    ...telemetryAuthenticators(service?.telemetry?.value),
  ])
  const overflows = overflowsOf(source, components.connectors, pipelines)
  const defined = definedIds(sections)
  if (defined) {
    checkReferences(source, defined, pipelines, enabledExtensions)
    // A pipeline that could not be read may be the one that uses a component.
    if (pipelines.length === Object.keys(named).length)
      checkUse(source, defined, pipelines, [...enabledExtensions, ...overflows.values()])
  }
  const graph = { names: Object.keys(named), pipelines, overflows, ...components }
  const processes = processGroupsOf(source, service?.processes?.value, graph)
  if (source.issues.length > 0 || !service?.telemetry || !service.shutdown_timeout) throw source.error()

  return Object.freeze({
    file,
    text,
    ...components,
    enabledExtensions,
    pipelines,
    processes,
    overflows,
    telemetry: service.telemetry.value,
    shutdownTimeoutMs: service.shutdown_timeout.value,
    warnings: source.warnings,
    written: Object.fromEntries(Object.entries(service).map(([key, field]) => [key, field.written])),
    groups: (connectorId: string) =>
      pipelines.filter(({ receivers }) => receivers.includes(connectorId)).map(({ name }) => name),
  })
}

function telemetryAuthenticators(telemetry: ServiceConfig['telemetry'] | undefined): AuthenticatorUse[] {
  const id = telemetry?.metrics.auth?.authenticator
  return id === undefined ? [] : [{ path: ['service', 'telemetry', 'metrics', 'auth', 'authenticator'], id }]
}

/** The ids of every section, unless a section could not be read. */
function definedIds(
  sections: Readonly<Record<string, Checked<z.ZodType> | undefined>>,
): DefinedIds | undefined {
  const ids: Partial<Record<Kind, readonly string[]>> = {}
  for (const kind of KINDS) {
    const section = sections[`${kind}s`]
    if (section === undefined) return undefined
    ids[kind] = Object.keys(section.value as object)
  }
  return ids as DefinedIds
}
