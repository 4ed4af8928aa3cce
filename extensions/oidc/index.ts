import type { IncomingHttpHeaders } from 'node:http'
import { decodeJwt, type JWTVerifyGetKey } from 'jose'
import { credentialOf } from '../../src/auth/header.ts'
import { KnownCredentials } from '../../src/auth/known-credentials.ts'
import {
  AuthenticationError,
  type Authenticator,
  type Identity,
  RetryableError,
} from '../../src/component.ts'
import { defineExtension, type ServerContext } from '../../src/define.ts'
import { WatchedFiles } from '../../src/watched-files.ts'
import { config, type OidcConfig, type OidcProvider, providersOf } from './config.ts'
import { Issuer, invalid } from './issuer.ts'
import { localKeys, RemoteKeys } from './keys.ts'

const INTERVAL_MS = 1000
/** A signature takes 0.2 ms to verify: that is not for every request of a client that sends all day. */
const REMEMBERED_MS = 60_000
const MOST = 4096

/** Knows senders by tokens that an issuer of OpenID Connect has signed. */
export const oidc = defineExtension({
  type: 'oidc',
  summary:
    'Knows senders by signed tokens (JWT) of an OpenID Connect issuer. An authenticator, for the auth of receivers and admin endpoints.',
  isAuthenticator: true,
  config,
  example: { issuer_url: 'https://issuer.example', audience: 'sluice' },

  create: (settings, context): Authenticator => new Oidc(settings, context),
})

class Oidc implements Authenticator {
  readonly #header: string
  readonly #issuers = new Map<string, Issuer>()
  readonly #files: WatchedFiles[] = []
  readonly #remotes: RemoteKeys[] = []
  readonly #known = new KnownCredentials<Identity>(MOST)
  readonly #context: ServerContext
  #troubled = false

  constructor(settings: OidcConfig, context: ServerContext) {
    this.#header = settings.attribute.toLowerCase()
    this.#context = context
    for (const provider of providersOf(settings)) {
      const keys =
        provider.public_keys_file === undefined
          ? this.#remote(provider)
          : this.#local(provider.public_keys_file)
      this.#issuers.set(provider.issuer_url, new Issuer(provider, keys))
    }
  }

  async start(): Promise<void> {
    for (const file of this.#files) await file.start()
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#files, ...this.#remotes].map((part) => part.stop()))
  }

  authenticate(headers: IncomingHttpHeaders): Identity | Promise<Identity> {
    const token = credentialOf(headers, this.#header, 'Bearer')
    if (token === undefined)
      throw new AuthenticationError(
        'unauthenticated',
        `a token is needed, in the header ${this.#header}`,
        'Bearer',
      )
    return this.#known.get(token) ?? this.#verify(token)
  }

  async #verify(token: string): Promise<Identity> {
    const issuer = this.#issuers.get(issuerOf(token))
    if (issuer === undefined) throw invalid('the token is of an issuer that is not known')
    try {
      const { identity, until } = await issuer.verify(token)
      this.#known.set(token, identity, Math.min(until, Date.now() + REMEMBERED_MS))
      this.#tell(undefined)
      return identity
    } catch (error) {
      if (error instanceof RetryableError) this.#tell(error)
      throw error
    }
  }

  #tell(error: RetryableError | undefined): void {
    if ((error !== undefined) === this.#troubled) return
    this.#troubled = error !== undefined
    this.#context.health(error === undefined ? 'ok' : 'degraded', error?.message)
    if (error) this.#context.log.error({ err: error.cause }, error.message)
    else this.#context.log.info('the keys of the issuer are there again')
  }

  #remote(provider: OidcProvider): JWTVerifyGetKey {
    const keys = new RemoteKeys(provider)
    this.#remotes.push(keys)
    return keys.get
  }

  #local(path: string): JWTVerifyGetKey {
    const { log, metrics, health } = this.#context
    let keys: JWTVerifyGetKey | undefined
    const file = new WatchedFiles({
      files: { public_keys_file: path },
      interval: INTERVAL_MS,
      take: ({ public_keys_file: text }) => {
        keys = localKeys(text)
        // A key may have gone.
        this.#known.clear()
      },
      trouble: (problem) => health(problem === undefined ? 'ok' : 'degraded', problem),
      log,
      metrics,
    })
    this.#files.push(file)
    return async (header, token) => {
      if (keys === undefined) throw new Error('the file is read at the start')
      return await keys(header, token)
    }
  }
}

function issuerOf(token: string): string {
  try {
    return decodeJwt(token).iss ?? ''
  } catch {
    throw invalid('the token is no JWT')
  }
}
