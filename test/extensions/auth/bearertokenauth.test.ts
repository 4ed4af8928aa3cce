import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { bearerTokenAuth } from '../../../extensions/bearertokenauth/index.ts'
import { answerTo, folderUntilEnd, start } from './start.ts'

describe('a bearer token', () => {
  it('says who sends, and for which tenant', async () => {
    const tokens = ['plain', { token: 'labelled', tenant: 'acme' }]
    const { authenticator } = await start(bearerTokenAuth, { tokens })

    expect(await answerTo(authenticator, 'Bearer plain')).toEqual({ subject: 'token 1' })
    expect(await answerTo(authenticator, 'bearer labelled')).toEqual({ subject: 'token 2', tenant: 'acme' })
  })

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Bearer plai',
    'Bearer plainer',
    'Basic plain',
    'Bearerplain',
    'plain',
  ])('is refused as %j, without being repeated', async (authorization) => {
    const { authenticator } = await start(bearerTokenAuth, { token: 'plain' })

    const answer = await answerTo(authenticator, authorization)

    expect(answer).toMatch(/^(a token is needed|the token is not known)/)
    expect(answer).not.toContain('plain')
  })

  it('comes in the header, and after the scheme, that the config names', async () => {
    const { authenticator } = await start(bearerTokenAuth, { token: 'k', header: 'X-Api-Key', scheme: '' })

    expect(await authenticator.authenticate({ 'x-api-key': 'k' })).toEqual({ subject: 'token 1' })
    expect(await answerTo(authenticator, 'Bearer k')).toBe('a token is needed, in the header x-api-key')
  })

  it('is taken out of a file, which is read again when it changes and kept when it breaks', async () => {
    const folder = await folderUntilEnd('tokens')
    const filename = join(folder.path, 'tokens')
    await writeFile(filename, 'first acme\n\nsecond\n')
    const { authenticator, context } = await start(bearerTokenAuth, { filename })
    expect(await answerTo(authenticator, 'Bearer first')).toMatchObject({ tenant: 'acme' })
    expect(await answerTo(authenticator, 'Bearer second')).toEqual({ subject: 'token 2' })

    await writeFile(filename, 'third\n')
    await vi.waitFor(
      async () => expect(await answerTo(authenticator, 'Bearer third')).toBeTypeOf('object'),
      5000,
    )
    expect(await answerTo(authenticator, 'Bearer first')).toBe('the token is not known')
    expect(await context.value('sluice_file_reloads_total', { outcome: 'success' })).toBe(1)

    await rm(filename)
    await vi.waitFor(() => expect(context.states.at(-1)?.state).toBe('degraded'), 5000)
    expect(await answerTo(authenticator, 'Bearer third')).toBeTypeOf('object')
    expect(await context.value('sluice_file_reloads_total', { outcome: 'failure' })).toBe(1)

    await writeFile(filename, 'third\n')
    await vi.waitFor(() => expect(context.states.at(-1)?.state).toBe('ok'), 5000)
  })

  it('is wanted from one place', () => {
    expect(bearerTokenAuth.config.safeParse({}).error?.issues[0].message).toBe(
      'expected one of token, tokens and filename',
    )
    expect(bearerTokenAuth.config.safeParse({ token: 'a', filename: 'b' }).success).toBe(false)
  })
})
