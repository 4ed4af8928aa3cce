import { afterEach, describe, expect, it } from 'vitest'
import { levelRules, setLevel } from '../../src/logger/level-registry.ts'
import { testLogger } from '../support/test-sink.ts'

afterEach(() => {
  for (const name of Object.keys(levelRules())) setLevel(name, undefined)
})

describe('the level', () => {
  it('is info, or what the options say', () => {
    expect(testLogger().log.level).toBe('info')
    expect(testLogger({ level: 'silent' }).log.isLevelEnabled('fatal')).toBe(false)
  })

  it('can be set at any time; children that exist keep theirs, children to come have it', () => {
    const { log, sink } = testLogger()
    const before = log.child({})
    log.level = 'debug'
    const after = log.child({})

    before.debug('no')
    log.debug('yes')
    after.debug('yes')

    expect(sink.arrived.map(({ body }) => body)).toEqual(['yes', 'yes'])
    expect([log.level, log.isLevelEnabled('debug'), log.enabled(5), log.enabled(4)]).toEqual([
      'debug',
      true,
      true,
      false,
    ])
  })

  it('of a child may be another', () => {
    const { log } = testLogger()
    const child = log.child({}, { level: 'error' })

    expect([child.level, child.child({}).level, log.level]).toEqual(['error', 'error', 'info'])
  })

  it('that does not exist is told of, and ignored', () => {
    const { log, lines } = testLogger({ level: 'loud' as never })
    log.level = 'verbose' as never

    expect(log.level).toBe('info')
    expect(lines).toEqual(['option level is no level: using info', 'a level that does not exist was not set'])
    expect(setLevel('x', 'verbose' as never)).toBe(false)
  })
})

describe('setLevel', () => {
  it('sets the level of loggers by name, those that exist and those to come, and those below', () => {
    const { log } = testLogger({ name: 'shop' })
    const db = log.child({}, { name: 'shop.db' })
    const dbx = log.child({}, { name: 'shop.dbx' })

    setLevel('shop.db', 'debug')
    const pool = log.child({}, { name: 'shop.db.pool', level: 'error' })

    expect([log.level, db.level, dbx.level, pool.level]).toEqual(['info', 'debug', 'info', 'debug'])
  })

  it('takes the longest name, and "*" for all others', () => {
    const { log } = testLogger({ name: 'shop' })
    const [db, other] = [log.child({}, { name: 'shop.db' }), log.child({}, { name: 'other' })]

    setLevel('*', 'error')
    setLevel('shop', 'warn')
    setLevel('shop.db', 'trace')

    expect([log.level, db.level, other.level]).toEqual(['warn', 'trace', 'error'])
    expect(levelRules()).toEqual({ '*': 'error', shop: 'warn', 'shop.db': 'trace' })
  })

  it('is undone by undefined', () => {
    const { log } = testLogger({ name: 'shop' })
    setLevel('shop', 'silent')

    setLevel('shop', undefined)

    expect(log.level).toBe('info')
  })

  it('gives way to a level that is set on the logger later', () => {
    const { log } = testLogger({ name: 'shop' })
    setLevel('shop', 'error')
    log.level = 'debug'
    const later = log.level

    setLevel('shop', 'warn')

    expect([later, log.level]).toEqual(['debug', 'warn'])
  })
})
