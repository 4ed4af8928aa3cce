import { type Asset, META } from './asset.ts'
import { agesOf, type Policy } from './config.ts'
import { elasticBytes, elasticTime } from './names.ts'
import type { Json } from './request.ts'
import { isOlder } from './server.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** What keeps the records of a policy in order, or nothing where the server has no such thing. */
export type LifecycleKind = 'ilm' | 'dsl' | 'ism' | 'none'

/** A policy with its name. */
export interface NamedPolicy {
  readonly name: string
  /** Its name on the server. */
  readonly id: string
  readonly policy: Policy
}

/** Age at which a new index is begun: soon enough that records do not live much longer than they should. */
export function rolloverAge({ hot, delete: deletion }: Policy): number {
  if (hot.max_age !== undefined) return hot.max_age
  if (deletion === undefined || deletion > 90 * DAY) return 30 * DAY
  if (deletion > 14 * DAY) return 7 * DAY
  return deletion > DAY ? DAY : HOUR
}

/** A policy as index lifecycle management has it. */
export function ilmPolicy({ id, policy }: NamedPolicy, version: string): Asset {
  const { warm, cold, frozen, delete: deletion } = policy
  const size = elasticBytes(policy.hot.max_primary_shard_size)
  const rollover = {
    max_age: elasticTime(rolloverAge(policy)),
    // Of all primaries, where a server cannot tell them apart.
    ...(isOlder(version, [7, 13]) ? { max_size: size } : { max_primary_shard_size: size }),
  }
  const after = (age: number, actions: Json): Json => ({ min_age: elasticTime(age), actions })
  const phases = {
    hot: { min_age: '0ms', actions: { rollover, set_priority: { priority: 100 } } },
    ...(warm !== undefined && {
      warm: after(warm, { set_priority: { priority: 50 }, forcemerge: { max_num_segments: 1 } }),
    }),
    ...(cold !== undefined && { cold: after(cold, { set_priority: { priority: 0 } }) }),
    ...(frozen && {
      frozen: after(frozen.after, { searchable_snapshot: { snapshot_repository: frozen.repository } }),
    }),
    ...(deletion !== undefined && { delete: after(deletion, { delete: {} }) }),
  }
  const hasMeta = !isOlder(version, [7, 14])
  return {
    kind: 'lifecycle policy',
    name: id,
    body: { policy: { ...(hasMeta && { _meta: META }), phases } },
  }
}

/** A policy as OpenSearch has it, for the data streams of `patterns`. */
export function ismPolicy({ id, policy }: NamedPolicy, patterns: readonly string[], priority: number): Asset {
  const rollover = {
    min_index_age: elasticTime(rolloverAge(policy)),
    min_primary_shard_size: elasticBytes(policy.hot.max_primary_shard_size),
  }
  const actions: Readonly<Record<string, readonly Json[]>> = {
    hot: [{ rollover }, { index_priority: { priority: 100 } }],
    warm: [{ force_merge: { max_num_segments: 1 } }, { index_priority: { priority: 50 } }],
    cold: [{ index_priority: { priority: 0 } }],
    delete: [{ delete: {} }],
  }
  // Searchable snapshots are another product there.
  const ages = agesOf(policy).filter(([phase]) => phase !== 'frozen')
  const names = ['hot', ...ages.map(([phase]) => phase)]
  const states = names.map((state, at) => ({
    name: state,
    actions: actions[state],
    transitions: ages
      .slice(at, at + 1)
      .map(([next, age]) => ({ state_name: next, conditions: { min_rollover_age: elasticTime(age) } })),
  }))
  return {
    kind: 'ISM policy',
    name: id,
    body: {
      policy: {
        description: `managed_by: ${META.managed_by}, version: ${META.version}`,
        default_state: 'hot',
        states,
        ism_template: [{ index_patterns: patterns, priority }],
      },
    },
  }
}

/** What the template of a policy's data streams says of their life. */
export function lifecycleTemplate(kind: LifecycleKind, { id, policy }: NamedPolicy): Json {
  if (kind === 'ilm') return { settings: { index: { lifecycle: { name: id } } } }
  if (kind !== 'dsl') return {}
  const { delete: deletion } = policy
  return {
    lifecycle: { enabled: true, ...(deletion !== undefined && { data_retention: elasticTime(deletion) }) },
  }
}

/** What a policy asks for that a data stream lifecycle or ISM has not. */
export function unsupported(kind: LifecycleKind, { policy }: NamedPolicy): string[] {
  const phases = agesOf(policy).map(([phase]) => phase)
  if (kind === 'dsl') return phases.filter((phase) => phase !== 'delete')
  return kind === 'ism' ? phases.filter((phase) => phase === 'frozen') : []
}
