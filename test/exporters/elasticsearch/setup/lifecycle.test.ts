import { describe, expect, it } from 'vitest'
import { type SetupConfig, setupConfig } from '../../../../exporters/elasticsearch/setup/config.ts'
import {
  ilmPolicy,
  ismPolicy,
  lifecycleTemplate,
  type NamedPolicy,
  rolloverAge,
} from '../../../../exporters/elasticsearch/setup/lifecycle.ts'

const DAY = 86_400_000

function policyOf(settings: object): NamedPolicy {
  const parsed: SetupConfig = setupConfig.parse({ lifecycle: { policies: { audit: settings } } })
  return { name: 'audit', id: 'sluice-audit', policy: parsed.lifecycle.policies.audit }
}

const ALL_PHASES = {
  warm: '2d',
  cold: '7d',
  frozen: { after: '30d', repository: 'backups' },
  delete: '400d',
}

describe('a lifecycle policy, printed and not tried on a server with all phases', () => {
  it('has the phases that the config names', () => {
    expect(ilmPolicy(policyOf(ALL_PHASES), '9.5.3').body).toEqual({
      policy: {
        _meta: { managed_by: 'sluice', version: 1 },
        phases: {
          hot: {
            min_age: '0ms',
            actions: {
              rollover: { max_age: '30d', max_primary_shard_size: '50gb' },
              set_priority: { priority: 100 },
            },
          },
          warm: {
            min_age: '2d',
            actions: { set_priority: { priority: 50 }, forcemerge: { max_num_segments: 1 } },
          },
          cold: { min_age: '7d', actions: { set_priority: { priority: 0 } } },
          frozen: { min_age: '30d', actions: { searchable_snapshot: { snapshot_repository: 'backups' } } },
          delete: { min_age: '400d', actions: { delete: {} } },
        },
      },
    })
  })

  it('has nothing but a rollover where the config says nothing', () => {
    const { body } = ilmPolicy(policyOf({}), '9.5.3')
    expect(Object.keys((body.policy as { phases: object }).phases)).toEqual(['hot'])
  })
})

describe('an ISM policy, printed and not tried on an OpenSearch with the plugin', () => {
  it('has a state for each phase, and goes from one to the next by age', () => {
    const { body } = ismPolicy(policyOf(ALL_PHASES), ['logs-*.audit-*'], 101)
    expect(body).toEqual({
      policy: {
        description: 'managed_by: sluice, version: 1',
        default_state: 'hot',
        states: [
          {
            name: 'hot',
            actions: [
              { rollover: { min_index_age: '30d', min_primary_shard_size: '50gb' } },
              { index_priority: { priority: 100 } },
            ],
            transitions: [{ state_name: 'warm', conditions: { min_rollover_age: '2d' } }],
          },
          {
            name: 'warm',
            actions: [{ force_merge: { max_num_segments: 1 } }, { index_priority: { priority: 50 } }],
            transitions: [{ state_name: 'cold', conditions: { min_rollover_age: '7d' } }],
          },
          {
            name: 'cold',
            actions: [{ index_priority: { priority: 0 } }],
            transitions: [{ state_name: 'delete', conditions: { min_rollover_age: '400d' } }],
          },
          { name: 'delete', actions: [{ delete: {} }], transitions: [] },
        ],
        ism_template: [{ index_patterns: ['logs-*.audit-*'], priority: 101 }],
      },
    })
  })
})

describe('what a template says of the life of its data streams', () => {
  it.each([
    ['ilm', { settings: { index: { lifecycle: { name: 'sluice-audit' } } } }],
    ['dsl', { lifecycle: { enabled: true, data_retention: '400d' } }],
    ['ism', {}],
    ['none', {}],
  ] as const)('is with %s %j', (kind, template) => {
    expect(lifecycleTemplate(kind, policyOf({ delete: '400d' }))).toEqual(template)
  })
})

describe('the age at which a new index is begun', () => {
  it.each([
    ['12h', DAY / 24],
    ['14d', DAY],
    ['90d', 7 * DAY],
    ['400d', 30 * DAY],
    [undefined, 30 * DAY],
  ])('is a part of the retention of %s', (deletion, age) => {
    expect(rolloverAge(policyOf(deletion === undefined ? {} : { delete: deletion }).policy)).toBe(age)
  })

  it('is what the config says', () => {
    expect(rolloverAge(policyOf({ hot: { max_age: '3h' }, delete: '14d' }).policy)).toBe(DAY / 8)
  })
})

it('refuses phases that are out of order', () => {
  const policies = { audit: { warm: '7d', cold: '2d' } }
  expect(setupConfig.safeParse({ lifecycle: { policies } }).error?.issues).toMatchObject([
    {
      path: ['lifecycle', 'policies', 'audit', 'cold'],
      message: 'expected an age beyond that of the phase before',
    },
  ])
})
