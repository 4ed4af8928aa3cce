import { SetupError } from '../../../src/setup.ts'
import { deadLetterTemplate } from '../dead-letter-template.ts'
import { type Asset, META } from './asset.ts'
import type { SetupConfig } from './config.ts'
import {
  ilmPolicy,
  ismPolicy,
  type LifecycleKind,
  lifecycleTemplate,
  type NamedPolicy,
  unsupported,
} from './lifecycle.ts'
import { ECS_COMPONENT, ecsMappings, otelMappings } from './mappings.ts'
import { elasticTime, type Mode, streamPatterns } from './names.ts'
import type { Json } from './request.ts'
import { readerRole, wantsLicence, writerRole } from './roles.ts'
import type { Server } from './server.ts'

/** What a server is to have, and what it cannot. */
export interface Assets {
  readonly assets: readonly Asset[]
  readonly notes: readonly string[]
}

export interface AssetOptions {
  readonly setup: SetupConfig
  readonly modes: readonly Mode[]
  /** The one data stream of everything, where the config names one. */
  readonly index: string | undefined
  /** Where dead letters go, if the exporter keeps them there. */
  readonly deadLetters: string | undefined
}

/** Where users of the built-in templates put what is theirs. */
const CUSTOM: Readonly<Record<Mode, readonly string[]>> = {
  otel: ['logs@custom', 'logs-otel@custom'],
  ecs: ['logs@custom'],
}
const KEPT_FOR_EVER: NamedPolicy['policy'] = { hot: { max_primary_shard_size: 50 * 2 ** 30 } }

/** Everything that is to be on a server, in the order in which it must be made. */
export function assetsFor(server: Server, options: AssetOptions): Assets {
  const { setup, modes } = options
  const { kind, notes } = chooseLifecycle(server, setup)
  const policies = options.index === undefined ? policiesOf(setup) : policiesOf(setup).slice(-1)
  for (const named of policies) {
    for (const phase of unsupported(kind, named)) {
      notes.push(
        `${kind === 'dsl' ? 'a data stream lifecycle' : 'ISM'} has no ${phase} phase: that of policy ${named.name} is left out`,
      )
    }
  }
  if (setup.logsdb === 'on' && !server.has.logsdb)
    notes.push('the server has no index mode logsdb: standard instead')
  if (setup.failure_store !== undefined && !server.has.failureStore)
    notes.push('the server has no failure store')
  const perMode = modes.map((mode) => templatesOf(server, options, mode, kind, policies))
  const lifecycles = kind === 'ilm' ? policies.map((named) => ilmPolicy(named, server.version)) : []
  return {
    assets: [
      ...pipelineOf(server, setup, notes),
      ...lifecycles,
      ...lifecycleComponents(kind, policies),
      ...perMode.flatMap(({ components }) => components),
      ...perMode.flatMap(({ templates }) => templates),
      ...deadLettersOf(options),
      ...(kind === 'ism' ? ismPolicies(options, policies) : []),
      ...rolesOf(server, options, notes),
    ],
    notes,
  }
}

function chooseLifecycle(
  { has }: Server,
  { lifecycle }: SetupConfig,
): { kind: LifecycleKind; notes: string[] } {
  const { prefer, policies } = lifecycle
  const [best] = (['ilm', 'dsl', 'ism'] as const).filter((kind) => has[kind])
  const wanted = prefer === 'auto' ? best : prefer
  if (wanted === 'none') return { kind: 'none', notes: [] }
  if (wanted !== undefined && has[wanted]) {
    const isSecond = prefer === 'auto' && wanted === 'dsl'
    return { kind: wanted, notes: isSecond ? [`the server has no ${NAMES.ilm}: ${NAMES.dsl} instead`] : [] }
  }
  const missing =
    wanted === undefined ? `neither ${Object.values(NAMES).join(' nor ')}` : `no ${NAMES[wanted]}`
  if (prefer !== 'auto' || Object.keys(policies).length > 0) {
    throw new SetupError(
      `the server has ${missing}: install it, or keep all records for ever with setup.lifecycle.prefer: none`,
    )
  }
  return { kind: 'none', notes: [`the server has ${missing}: records are kept for ever, in one index`] }
}

const NAMES: Readonly<Record<Exclude<LifecycleKind, 'none'>, string>> = {
  ilm: 'index lifecycle management',
  dsl: 'data stream lifecycle',
  ism: 'index state management (the plugin opensearch-index-management)',
}

/** The default one last, for whatever no other is for. */
function policiesOf({ prefix, lifecycle: { policies } }: SetupConfig): NamedPolicy[] {
  const { default: rest = KEPT_FOR_EVER, ...named } = policies
  const all = [...Object.entries(named), [DEFAULT, rest] as const]
  return all.map(([name, policy]) => ({ name, id: `${prefix}-${name}`, policy }))
}

const DEFAULT = 'default'

/** The first policy has the highest priority, the default one none of its own. */
function priorityOf(index: number, policies: readonly NamedPolicy[]): number {
  return policies.length - 1 - index
}

function patternsOf(
  mode: Mode,
  { name, policy }: NamedPolicy,
  { setup, index }: AssetOptions,
): readonly string[] {
  if (index !== undefined) return [index]
  const own =
    name === DEFAULT
      ? setup.datasets
      : setup.datasets.flatMap((dataset) => (dataset === '*' ? [name, `*.${name}`] : [`${dataset}.${name}`]))
  return streamPatterns(mode, policy.datasets ?? own, policy.namespaces ?? setup.namespaces)
}

function lifecycleComponents(kind: LifecycleKind, policies: readonly NamedPolicy[]): Asset[] {
  if (kind !== 'ilm' && kind !== 'dsl') return []
  return policies.map((named) => component(lifecycleName(named), lifecycleTemplate(kind, named)))
}

function lifecycleName({ id }: NamedPolicy): string {
  return `${id}@lifecycle`
}

function templatesOf(
  server: Server,
  options: AssetOptions,
  mode: Mode,
  kind: LifecycleKind,
  policies: readonly NamedPolicy[],
): { components: Asset[]; templates: Asset[] } {
  const { setup } = options
  const mappings = mode === 'otel' ? otelMappings(server, setup) : ecsMappings(server, setup)
  const names = [`${setup.prefix}-logs-${mode}@mappings`, `${setup.prefix}-logs-${mode}@settings`] as const
  const custom = [...CUSTOM[mode], ...setup.component_templates]
  const { ignoreMissingComponents } = server.has
  const optional = custom.filter((name) => ignoreMissingComponents || server.componentTemplates.has(name))
  const ecs = mode === 'ecs' && server.componentTemplates.has(ECS_COMPONENT) ? [ECS_COMPONENT] : []
  return {
    components: [
      component(names[0], { mappings }),
      component(names[1], templateSettings(server, setup, mode)),
    ],
    templates: policies.map((named) => ({
      kind: 'index template',
      name: `${setup.prefix}-logs-${mode}-${named.name}`,
      body: {
        index_patterns: patternsOf(mode, named, options),
        priority: setup.priority[mode] + priorityOf(policies.indexOf(named), policies),
        data_stream: {},
        composed_of: [
          ...names,
          ...(kind === 'ilm' || kind === 'dsl' ? [lifecycleName(named)] : []),
          ...optional,
          ...ecs,
        ],
        ...(ignoreMissingComponents &&
          optional.length > 0 && { ignore_missing_component_templates: optional }),
        _meta: META,
      },
    })),
  }
}

function templateSettings({ has }: Server, setup: SetupConfig, mode: Mode): Json {
  const { shards, replicas, refresh_interval, translog, total_fields_limit, logsdb, failure_store } = setup
  const isLogsdb = has.logsdb && logsdb !== 'off'
  const host = mode === 'otel' ? 'resource.attributes.host.name' : 'host.name'
  const index = {
    ...(isLogsdb && { mode: 'logsdb', sort: { field: [host, '@timestamp'], order: ['asc', 'desc'] } }),
    codec: 'best_compression',
    refresh_interval: elasticTime(refresh_interval),
    number_of_shards: shards,
    ...(replicas !== undefined && { number_of_replicas: replicas }),
    mapping: {
      ignore_malformed: true,
      total_fields: {
        limit: total_fields_limit,
        ...(has.ignoreBeyondLimit && { ignore_dynamic_beyond_limit: true }),
      },
    },
    ...(translog === 'async' && { translog: { durability: 'async', sync_interval: '5s' } }),
    ...(setup.ingest_pipeline && { default_pipeline: `${setup.prefix}-logs` }),
  }
  const keepsFailures = failure_store !== undefined && has.failureStore
  return {
    settings: { index },
    ...(keepsFailures && { data_stream_options: { failure_store: { enabled: failure_store === 'on' } } }),
  }
}

/** The user's processors, then those of the hook that the built-in templates have as well. */
function pipelineOf({ has }: Server, { prefix, ingest_pipeline }: SetupConfig, notes: string[]): Asset[] {
  if (ingest_pipeline === undefined) return []
  const hasHook = has.optionalPipelines
  if (!hasHook) notes.push('the server cannot pass over a pipeline that is missing: logs@custom is not run')
  const hook = { pipeline: { name: 'logs@custom', ignore_missing_pipeline: true } }
  const body = {
    description: `managed_by: ${META.managed_by}, version: ${META.version}`,
    processors: [...ingest_pipeline.processors, ...(hasHook ? [hook] : [])],
  }
  return [{ kind: 'ingest pipeline', name: `${prefix}-logs`, body }]
}

function deadLettersOf({ deadLetters }: AssetOptions): Asset[] {
  if (deadLetters === undefined) return []
  const { name, body } = deadLetterTemplate(deadLetters)
  return [{ kind: 'index template', name, body: { ...body, _meta: META } }]
}

function ismPolicies(options: AssetOptions, policies: readonly NamedPolicy[]): Asset[] {
  return policies.map((named, at) => {
    const patterns = options.modes.flatMap((mode) => patternsOf(mode, named, options))
    return ismPolicy(named, [...new Set(patterns)], 100 + priorityOf(at, policies))
  })
}

function rolesOf({ has }: Server, { setup, modes, index }: AssetOptions, notes: string[]): Asset[] {
  const { writer, readers } = setup.roles
  const teams = Object.entries(readers)
  if (!writer && teams.length === 0) return []
  if (!has.security) {
    notes.push('the server has no security, or its roles are made elsewhere: roles are left out')
    return []
  }
  const patterns = (datasets: readonly string[], namespaces: readonly string[]) =>
    index === undefined ? modes.flatMap((mode) => streamPatterns(mode, datasets, namespaces)) : [index]
  return [
    ...(writer ? [writerRole(setup.prefix, patterns(setup.datasets, setup.namespaces))] : []),
    ...teams.flatMap(([team, reader]) => {
      if (wantsLicence(reader) && !has.documentRules) {
        notes.push(
          `the licence has no rules for documents and fields: reader ${team} is not made. Keep what it may not see in a namespace of its own`,
        )
        return []
      }
      return [
        readerRole(`${setup.prefix}_reader_${team}`, patterns(reader.datasets, reader.namespaces), reader),
      ]
    }),
  ]
}

function component(name: string, template: Json): Asset {
  return { kind: 'component template', name, body: { template, _meta: META } }
}
