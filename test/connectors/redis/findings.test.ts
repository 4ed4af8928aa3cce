import { describe, expect, it } from 'vitest'
import { describe as describeError } from '../../../connectors/redis/connection/errors.ts'
import { Findings } from '../../../connectors/redis/server/findings.ts'
import { type Finding, findingOf, STATES, unreachable } from '../../../connectors/redis/server/states.ts'

const reply = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' })

const answered = (message: string): Finding => {
  const finding = findingOf(describeError('redis://cache:6379', reply(message)))
  if (finding === undefined) throw new Error(`${message} says nothing of the server`)
  return finding
}

const evicting: Finding = { state: 'evicting', health: 'failed', detail: 'evicts', refusal: 'policy' }
const noMaxmemory: Finding = { state: 'no_maxmemory', health: 'degraded', detail: 'grows' }

describe('what is known of a Redis server', () => {
  it.each([
    ['MISCONF Errors writing to the AOF file: No space left on device', 'misconf'],
    ["READONLY You can't write against a read only replica.", 'readonly'],
    ['LOADING Redis is loading the dataset in memory', 'loading'],
    ['BUSY Redis is busy running a script.', 'busy'],
    ['NOREPLICAS Not enough good replicas to write.', 'replica_missing'],
  ])('is told by the answer %s', (message, state) => {
    const findings = new Findings()

    findings.look().failed(answered(message))

    expect(STATES.filter((each) => findings.has(each))).toEqual([state])
    expect(findings.all[0].refusal).toBeDefined()
  })

  it('is not told by an answer that is about the command', () => {
    expect(
      findingOf(describeError('redis://cache:6379', reply('ERR wrong number of arguments'))),
    ).toBeUndefined()
    expect(findingOf(describeError('redis://cache:6379', reply('OOM command not allowed')))).toBeUndefined()
    expect(findingOf(describeError('redis://cache:6379', reply('MOVED 1 10.0.0.1:6379')))).toBeUndefined()
  })

  it('has the worst first, and each state once', () => {
    const findings = new Findings()
    const snapshot: Finding = { state: 'misconf', health: 'degraded', detail: 'no snapshot' }
    const misconf = answered('MISCONF no')

    findings.look().saw([noMaxmemory, snapshot, misconf], 'a')

    expect(findings.all).toEqual([misconf, noMaxmemory])
  })

  it('keeps what the settings of the server are while it does not answer', () => {
    const findings = new Findings()
    findings.look().saw([evicting, noMaxmemory, answered('READONLY no')], 'a')

    findings.look().failed(unreachable('is gone'))

    expect(findings.all.map(({ state }) => state)).toEqual(['unreachable', 'evicting', 'no_maxmemory'])
    findings.look().saw([], 'a')
    expect(findings.all).toEqual([])
  })

  it('keeps what a push was answered until a later look says otherwise', () => {
    const findings = new Findings()
    const under = findings.look()
    const news = findings.told(answered('MISCONF no'))

    under.saw([], 'a')

    expect(news).toBe(true)
    expect(findings.has('misconf')).toBe(true)
    expect(findings.told(answered('MISCONF no'))).toBe(false)
    findings.look().saw([], 'a')
    expect(findings.has('misconf')).toBe(false)
  })

  it('tells of a look that takes long, until it ends', () => {
    const findings = new Findings()
    const look = findings.look()

    look.waits(unreachable('has not answered'))
    expect(findings.has('unreachable')).toBe(true)
    look.saw([], 'a')
    look.waits(unreachable('has not answered'))

    expect(findings.has('unreachable')).toBe(false)
  })

  it('tells of another run of the server for a minute', () => {
    let now = 0
    const findings = new Findings(() => now)
    findings.look().saw([], 'a')
    findings.look().saw([], '')
    findings.look().saw([], 'a')
    expect(findings.has('failover')).toBe(false)

    findings.look().saw([], 'b')

    now = 59_999
    expect(findings.has('failover')).toBe(true)
    expect(findings.all[0].refusal).toBeUndefined()
    now = 60_000
    expect(findings.has('failover')).toBe(false)
  })
})
