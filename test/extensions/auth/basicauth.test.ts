import { hashSync } from 'bcryptjs'
import { describe, expect, it } from 'vitest'
import { basicAuth } from '../../../extensions/basicauth/index.ts'
import { RetryableError } from '../../../src/component.ts'
import { answerTo, start } from './start.ts'

const basic = (name: string, password: string): string =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
const inline = [
  `ann:${hashSync('bcrypt:ä', 4).replace('$2b$', '$2y$')}`,
  'bob:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=',
  'eve:clear',
].join('\n')
const WRONG = 'name or password is wrong'

describe('a name and a password', () => {
  it.each([
    ['ann', 'bcrypt:ä'],
    ['bob', 'test'],
    ['eve', 'clear'],
  ])('are those of %s, who is the tenant', async (name, password) => {
    const { authenticator } = await start(basicAuth, { htpasswd: { inline } })

    expect(await answerTo(authenticator, basic(name, password))).toEqual({ subject: name, tenant: name })
    expect(await answerTo(authenticator, basic(name, `${password}x`))).toBe(WRONG)
    expect(await answerTo(authenticator, basic(name, ''))).toBe(WRONG)
  })

  it.each([basic('nobody', 'x'), basic('', ''), basic('__proto__', 'x'), 'Basic !!', 'Basic YQ=='])(
    'are refused as %s',
    async (authorization) => {
      const { authenticator } = await start(basicAuth, { htpasswd: { inline } })

      expect(await answerTo(authenticator, authorization)).toBe(WRONG)
    },
  )

  it('are verified once, and then remembered', async () => {
    const { authenticator } = await start(basicAuth, { htpasswd: { inline } })
    const headers = { authorization: basic('ann', 'bcrypt:ä') }

    const both = [authenticator.authenticate(headers), authenticator.authenticate(headers)]
    expect(both[0]).toBe(both[1])
    for (const answer of both) await answer

    expect(authenticator.authenticate(headers)).not.toBeInstanceOf(Promise)
  })

  it('do not pile up when many are to be verified', async () => {
    const { authenticator } = await start(basicAuth, { htpasswd: { inline } })

    const answers = await Promise.allSettled(
      Array.from({ length: 100 }, async (_, i) =>
        authenticator.authenticate({ authorization: basic('ann', `guess ${i}`) }),
      ),
    )

    const busy = answers.filter(
      ({ reason }: PromiseSettledResult<unknown> & { reason?: unknown }) => reason instanceof RetryableError,
    )
    expect(busy).toHaveLength(36)
  })

  it.each([
    ['no colon', 'htpasswd.inline: line 1 is not name:hash'],
    [
      'ok:ok\nann:$apr1$a$b',
      'htpasswd.inline: line 2 has a hash of a kind that is not known; make it with htpasswd -B',
    ],
  ])('stand in lines, and not so: %s', async (text, message) => {
    await expect(start(basicAuth, { htpasswd: { inline: text } })).rejects.toThrow(message)
  })
})
