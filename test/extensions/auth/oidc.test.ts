import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { oidc } from '../../../extensions/oidc/index.ts'
import { answerTo, folderUntilEnd, start } from './start.ts'

const now = (): number => Math.floor(Date.now() / 1000)

/** An issuer with a key, which signs tokens and serves what is known of it. */
async function issuer() {
  const keys: JWK[] = []
  const asked: string[] = []
  const state = { isDown: false }
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const known: Record<string, object> = {
      '/.well-known/openid-configuration': { issuer: url, jwks_uri: `${url}/keys` },
      '/keys': { keys },
    }
    const found = known[request.url ?? '']
    if (state.isDown || found === undefined) response.writeHead(500).end()
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(found))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const addKey = async (kid: string) => {
    const { publicKey, privateKey } = await generateKeyPair('ES256')
    keys.push({ ...(await exportJWK(publicKey)), kid, alg: 'ES256' })
    return async (claims: JWTPayload = {}) => {
      const all = { iss: url, aud: 'sluice', sub: 'shop', exp: now() + 60, ...claims }
      return `Bearer ${await new SignJWT(all).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey)}`
    }
  }
  return { url, keys, asked, state, addKey }
}

describe('a signed token', () => {
  it('says who sends, for which tenant, by the keys that its issuer publishes', async () => {
    const { url, addKey, asked } = await issuer()
    const sign = await addKey('a')
    const { authenticator } = await start(oidc, { issuer_url: url, audience: 'sluice', tenant_claim: 'org' })
    const token = await sign({ org: 'acme' })

    expect(await answerTo(authenticator, token)).toEqual({ subject: 'shop', tenant: 'acme' })
    expect(authenticator.authenticate({ authorization: token })).not.toBeInstanceOf(Promise)
    expect(await answerTo(authenticator, await sign({ org: 'other' }))).toMatchObject({ tenant: 'other' })
    expect(asked).toEqual(['/.well-known/openid-configuration', '/keys'])
  })

  it('is refused for what is wrong with it, within the clock skew', async () => {
    const { url, addKey } = await issuer()
    const sign = await addKey('a')
    const { authenticator } = await start(oidc, { issuer_url: url, audience: 'sluice', clock_skew: '10s' })
    const answer = async (claims: JWTPayload) => answerTo(authenticator, await sign(claims))

    expect(await answer({ exp: now() - 5 })).toEqual({ subject: 'shop' })
    expect(await answer({ exp: now() - 15 })).toBe('the token has expired')
    expect(await answer({ nbf: now() + 5 })).toEqual({ subject: 'shop' })
    expect(await answer({ nbf: now() + 15 })).toMatch('claim')
    expect(await answer({ aud: 'another' })).toMatch('claim')
    expect(await answer({ exp: undefined as never })).toMatch('claim')
    expect(await answer({ iss: 'https://elsewhere' })).toBe('the token is of an issuer that is not known')
    expect(await answer({ sub: '' })).toBe('the token has no claim sub')
    const [header, payload, signature] = (await sign()).split('.')
    expect(
      await answerTo(
        authenticator,
        `${header}.${payload}.${signature.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))}`,
      ),
    ).toBe('the signature of the token is wrong')
    const none = Buffer.from('{"alg":"none"}').toString('base64url')
    expect(await answerTo(authenticator, `Bearer ${none}.${payload}.`)).toMatch(/^the token/)
    expect(await answerTo(authenticator, 'Bearer nonsense')).toBe('the token is no JWT')
    expect(await answerTo(authenticator)).toBe('a token is needed, in the header authorization')
  })

  it('is not signed with a secret, even where the keys hold one', async () => {
    const { url, keys } = await issuer()
    const secret = Buffer.alloc(32, 1)
    keys.push({ kty: 'oct', kid: 's', k: secret.toString('base64url') })
    const { authenticator } = await start(oidc, { issuer_url: url, audience: 'sluice' })
    const token = await new SignJWT({ iss: url, aud: 'sluice', sub: 'x', exp: now() + 60 })
      .setProtectedHeader({ alg: 'HS256', kid: 's' })
      .sign(secret)

    expect(await answerTo(authenticator, `Bearer ${token}`)).toBe(
      'the token is signed with an algorithm that is not taken',
    )
  })

  it('opens the door only to groups that may send, and is known but not allowed otherwise', async () => {
    const { url, addKey } = await issuer()
    const sign = await addKey('a')
    const { authenticator } = await start(oidc, {
      providers: [{ issuer_url: url, audience: 'sluice', allowed_groups: ['writers'], tenant_claim: 'org' }],
    })

    expect(
      await answerTo(authenticator, await sign({ groups: ['a', 'writers'], org: 'acme' })),
    ).toMatchObject({ tenant: 'acme' })
    for (const claims of [
      {},
      { groups: ['readers'], org: 'acme' },
      { groups: 'writers' },
      { groups: 'writers', org: 7 },
    ])
      await expect(
        (async () => authenticator.authenticate({ authorization: await sign(claims) }))(),
      ).rejects.toMatchObject({ reason: 'forbidden' })
  })

  it('may name a key that the issuer has added, which is asked for not more often than every half minute', async () => {
    const { url, addKey, asked } = await issuer()
    const { authenticator } = await start(oidc, {
      issuer_url: url,
      jwks_url: `${url}/keys`,
      audience: 'sluice',
    })
    const first = await addKey('a')
    expect(await answerTo(authenticator, await first())).toBeTypeOf('object')
    const second = await addKey('b')

    const answers = [
      await answerTo(authenticator, await second()),
      await answerTo(authenticator, await second()),
    ]

    expect(answers).toEqual(Array(2).fill('the token is signed with a key that the issuer does not publish'))
    expect(asked).toEqual(['/keys'])
  })

  it('is to be sent again while the issuer cannot be asked, which health tells', async () => {
    const { url, addKey, state } = await issuer()
    const sign = await addKey('a')
    const { authenticator, context } = await start(oidc, { issuer_url: url, audience: 'sluice' })
    state.isDown = true
    const token = await sign()

    expect(await answerTo(authenticator, token)).toBe('the keys of the issuer cannot be had')
    expect(context.states.at(-1)?.state).toBe('degraded')

    state.isDown = false
    expect(await answerTo(authenticator, token)).toEqual({ subject: 'shop' })
    expect(context.states.at(-1)?.state).toBe('ok')
  })

  it('is verified with the keys of a file, without asking anybody', async () => {
    const { url, addKey, keys, asked } = await issuer()
    const sign = await addKey('a')
    const folder = await folderUntilEnd('jwks')
    const public_keys_file = join(folder.path, 'jwks.json')
    await writeFile(public_keys_file, JSON.stringify({ keys }))
    const { authenticator } = await start(oidc, { issuer_url: url, audience: 'sluice', public_keys_file })

    expect(await answerTo(authenticator, await sign())).toEqual({ subject: 'shop' })
    expect(asked).toEqual([])
    await writeFile(public_keys_file, 'broken')
    await expect(start(oidc, { issuer_url: url, audience: 'sluice', public_keys_file })).rejects.toThrow(
      'public_keys_file: is no JSON',
    )
  })
})
