import { describe, expect, it } from 'vitest'
import { redis } from '../../../connectors/redis/index.ts'
import { Naming } from '../../../connectors/redis/stream/naming.ts'
import { Template } from '../../../connectors/redis/stream/template.ts'
import { weightOf } from '../../../connectors/redis/stream/weights.ts'
import type { Value } from '../../../src/logs/any-value.ts'

const naming = (
  settings: Readonly<Record<string, unknown>>,
  groups: readonly string[] = ['logs/drain'],
): Naming => new Naming(redis.config.parse(settings), groups)

function rendered(template: string, attributes: Readonly<Record<string, Value>>, tenant?: string): string {
  return new Template(template).render({ attribute: (name) => attributes[name], tenant })
}

describe('the name of a stream', () => {
  it('is made of literals and resource attributes', () => {
    const attributes = { 'service.name': 'shop', 'deployment.environment': 'prod' }

    expect(rendered('{service.name}', attributes)).toBe('shop')
    expect(rendered('logs-{deployment.environment}', attributes)).toBe('logs-prod')
    expect(rendered('{service.name}.{deployment.environment}', attributes)).toBe('shop.prod')
  })

  it('is made of the tenant of the credential, whatever an attribute of that name says', () => {
    expect(rendered('logs-{tenant}', { tenant: 'chosen' }, 'acme')).toBe('logs-acme')
    expect(rendered('logs-{tenant}', { tenant: 'chosen' })).toBe('logs-unknown')
  })

  it('keeps letters, digits and _.- of a value, as they are, and not more than 64 of them', () => {
    expect(rendered('{a}', { a: 'Check Out/ü{x}:*\n' })).toBe('Check_Out___x____')
    expect(rendered('{a}', { a: 'x'.repeat(1000) })).toBe('x'.repeat(64))
    expect(rendered('{a}', { a: '__proto__' })).toBe('__proto__')
  })

  it('says unknown where an attribute is missing, empty, or no simple value', () => {
    for (const a of ['', null, [1], new Map(), Buffer.from('x')])
      expect(rendered('{a}', { a })).toBe('unknown')
    expect(rendered('x-{a}', {})).toBe('x-unknown')
    expect(rendered('{a}{b}{c}', { a: 7, b: true, c: 9007199254740993n })).toBe('7true9007199254740993')
  })

  it.each(['', '{', '{}', 'a}', 'a b', 'a:b', '{a{b}}', '{a b}', 'ä'])(
    'is refused where it is %j',
    (stream) => {
      expect(redis.config.safeParse({ stream }).success).toBe(false)
    },
  )
})

describe('keys', () => {
  it('of a fixed stream lie where they always did', () => {
    const fixed = naming({ stream: 'logs' })
    const keys = fixed.keys('logs')

    expect(fixed.identity).toBe('sluice:{logs}:key')
    expect(keys.queue('logs/drain')).toBe('sluice:{logs}:queue:logs/drain')
    expect(keys.inflight('logs/drain', 'w')).toBe('sluice:{logs}:inflight:logs/drain:w')
    expect(keys.dead).toBe('sluice:{logs}:dead')
  })

  it('of all streams together lie in a slot that no stream has', () => {
    const many = naming({ stream: 'logs-{service.name}' })

    expect(many.identity).toBe('sluice:{logs-<service.name>}:key')
    expect(many.streams).toBe('sluice:{logs-<service.name>}:streams')
    expect(many.keys('logs-shop').dead).toBe('sluice:{logs-shop}:dead')
  })

  it('of a list are the list itself and its neighbours in the same slot', () => {
    const one = naming({ list: 'logqueue:nginx:access' }).keys('logqueue:nginx:access')

    expect(one.queue('logs/drain')).toBe('logqueue:nginx:access')
    expect(one.stats('logs/drain')).toBe('sluice:{logqueue:nginx:access}:stats:logs/drain')
    const two = naming({ list: 'logqueue:nginx:access' }, ['a', 'b']).keys('logqueue:nginx:access')
    expect(two.queue('a')).toBe('{logqueue:nginx:access}:a')
  })
})

describe('the weight of a stream', () => {
  it('is that of the first pattern that fits', () => {
    const weights = { audit: 4, 'audit*': 3, 'a*-*z': 2, '*': 0.5 }

    expect(weightOf('audit', weights)).toBe(4)
    expect(weightOf('audit-eu', weights)).toBe(3)
    expect(weightOf('a1-2-xyz', weights)).toBe(2)
    expect(weightOf('az', weights)).toBe(0.5)
    expect(weightOf('shop', { 'sho*hop': 2 })).toBe(1)
    expect(weightOf('shop', {})).toBe(1)
  })
})
