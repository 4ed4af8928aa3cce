import { readFile } from 'node:fs/promises'
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from 'jose'
import { Agent, fetch } from 'undici'
import type { OidcProvider } from './config.ts'

const TIMEOUT_MS = 5000
/** Tokens that name unknown keys make the keys be asked for again, but not more often. */
const COOLDOWN_MS = 30_000
const MOST_BYTES = 1024 * 1024

/** The keys in a file. Throws where it holds none. */
export function localKeys(text: string): JWTVerifyGetKey {
  let keys: unknown
  try {
    keys = JSON.parse(text)
  } catch (error) {
    throw new Error('public_keys_file: is no JSON', { cause: error })
  }
  try {
    return createLocalJWKSet(keys as JSONWebKeySet)
  } catch (error) {
    throw new Error('public_keys_file: is no JSON Web Key Set: RFC 7517, section 5', { cause: error })
  }
}

/** The keys that an issuer publishes; found when the first token comes, and asked for anew when one names another. */
export class RemoteKeys {
  readonly #provider: OidcProvider
  #agent: Agent | undefined
  #keys: Promise<JWTVerifyGetKey> | undefined

  constructor(provider: OidcProvider) {
    this.#provider = provider
  }

  /** Rejects when the issuer cannot be asked. */
  readonly get: JWTVerifyGetKey = async (header, token) => {
    this.#keys ??= this.#find()
    try {
      return await (await this.#keys)(header, token)
    } catch (error) {
      // What failed is tried again.
      await this.#keys?.catch(() => {
        this.#keys = undefined
      })
      throw error
    }
  }

  async stop(): Promise<void> {
    await this.#agent?.destroy()
  }

  async #find(): Promise<JWTVerifyGetKey> {
    const { jwks_url, issuer_ca_path } = this.#provider
    const ca = issuer_ca_path === undefined ? {} : { ca: await readFile(issuer_ca_path, 'utf8') }
    this.#agent ??= new Agent({ connect: ca, maxResponseSize: MOST_BYTES })
    return createRemoteJWKSet(new URL(jwks_url ?? (await this.#discover())), {
      timeoutDuration: TIMEOUT_MS,
      cooldownDuration: COOLDOWN_MS,
      [customFetch]: (url, { headers, method, signal }) =>
        this.#fetch(url, { headers: Object.fromEntries(headers), method, signal }),
    })
  }

  /** https://openid.net/specs/openid-connect-discovery-1_0.html, section 4 */
  async #discover(): Promise<string> {
    const { issuer_url: issuer } = this.#provider
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
    const response = await this.#fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    if (!response.ok) throw new Error(`${url} answers ${response.status}`)
    const found = (await response.json()) as { issuer?: unknown; jwks_uri?: unknown }
    if (found.issuer !== issuer) throw new Error(`${url} is about another issuer than issuer_url`)
    if (typeof found.jwks_uri !== 'string') throw new Error(`${url} names no jwks_uri`)
    return found.jwks_uri
  }

  async #fetch(
    url: string,
    options: { headers?: Record<string, string>; method?: string; signal: AbortSignal },
  ): Promise<Response> {
    const agent = this.#agent
    if (agent === undefined) throw new Error('the agent is made first')
    return (await fetch(url, { ...options, redirect: 'manual', dispatcher: agent })) as unknown as Response
  }
}
