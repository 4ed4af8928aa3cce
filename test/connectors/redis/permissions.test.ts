import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as scripts from '../../../connectors/redis/stream/scripts.ts'

/** Sent by the connection, or by something else than a script. */
const PLAIN = ['info', 'client|setname', 'eval', 'evalsha']
const PLAIN_DRAIN = [...PLAIN, 'lindex']

const commandsOf = (chosen: readonly scripts.Script[]): string[] =>
  chosen.flatMap(({ lua }) =>
    [...lua.matchAll(/redis\.p?call\('(\w+)'/g)].map(([, name]) => name.toLowerCase()),
  )

function allowed(user: string): string[] {
  const line = readFileSync('docs/redis.md', 'utf8').match(new RegExp(`^user ${user} .*$`, 'm'))?.[0] ?? ''
  return [...line.matchAll(/ \+(\S+)/g)].map(([, command]) => command).sort()
}

describe('the permissions in docs/redis.md', () => {
  const { PUSH, OBSERVE, BURY, ...draining } = scripts

  it('let a gateway run what its scripts call, and nothing else', () => {
    const needed = new Set([...PLAIN, ...commandsOf([PUSH, OBSERVE, BURY])])

    expect(allowed('gateway')).toEqual([...needed].sort())
  })

  it('let a drain run what its scripts call, and nothing else', () => {
    const needed = new Set([...PLAIN_DRAIN, ...commandsOf([OBSERVE, BURY, ...Object.values(draining)])])

    expect(allowed('drain')).toEqual([...needed].sort())
  })
})
