import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as administering from '../../../connectors/redis/admin/scripts.ts'
import * as registry from '../../../connectors/redis/stream/registry-scripts.ts'
import * as scripts from '../../../connectors/redis/stream/scripts.ts'

/** Sent by the connection, or by something else than a script. */
const PLAIN = ['info', 'client|setname', 'eval', 'evalsha']
const PLAIN_GATEWAY = [...PLAIN, 'hmget']
const PLAIN_DRAIN = [...PLAIN, 'hmget', 'lindex', 'llen']
const PLAIN_OPERATOR = [...PLAIN, 'ping', 'lindex', 'llen', 'lrange', 'zrange']

const commandsOf = (...modules: readonly object[]): string[] =>
  modules
    .flatMap((module) => Object.values(module) as unknown[])
    .flatMap((each) => (each instanceof Object && 'lua' in each ? [String(each.lua)] : []))
    .flatMap((lua) => [...lua.matchAll(/redis\.p?call\('(\w+)'/g)].map(([, name]) => name.toLowerCase()))

const sorted = (...commands: readonly string[][]): string[] => [...new Set(commands.flat())].sort()

function allowed(user: string): string[] {
  const line = readFileSync('docs/redis.md', 'utf8').match(new RegExp(`^user ${user} .*$`, 'm'))?.[0] ?? ''
  return [...line.matchAll(/ \+(\S+)/g)].map(([, command]) => command).sort()
}

describe('the permissions in docs/redis.md', () => {
  it('let a gateway run what its scripts call, and nothing else', () => {
    const { PUSH, BURY } = scripts

    expect(allowed('gateway')).toEqual(sorted(PLAIN_GATEWAY, commandsOf({ PUSH, BURY }, registry)))
  })

  it('let a drain run what its scripts call, and nothing else', () => {
    const { PUSH: _, ...draining } = scripts

    expect(allowed('drain')).toEqual(sorted(PLAIN_DRAIN, commandsOf(draining, registry)))
  })

  it('let an operator run what `sluice dlq` and `sluice buffer` call, and nothing else', () => {
    expect(allowed('operator')).toEqual(sorted(PLAIN_OPERATOR, commandsOf(administering)))
  })
})
