import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { AuthenticationError, type Identity, RetryableError } from '../../src/component.ts'
import type { OidcProvider } from './config.ts'

/** Only such as need the issuer's private key: with the others, whoever can verify can also sign. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]
const MAX_TENANT = 128

/** What is wrong with a token, by the code of the library; anything else is no fault of the token. */
const FAULTS: ReadonlyMap<string, string> = new Map([
  [errors.JWTExpired.code, 'the token has expired'],
  [errors.JWTClaimValidationFailed.code, 'a claim of the token is not as it has to be'],
  [errors.JWTInvalid.code, 'the token is no JWT'],
  [errors.JWSInvalid.code, 'the token is no JWT'],
  [errors.JWSSignatureVerificationFailed.code, 'the signature of the token is wrong'],
  [errors.JWKSNoMatchingKey.code, 'the token is signed with a key that the issuer does not publish'],
  [errors.JWKSMultipleMatchingKeys.code, 'the token does not say which key it is signed with'],
  [errors.JOSEAlgNotAllowed.code, 'the token is signed with an algorithm that is not taken'],
  [errors.JOSENotSupported.code, 'the token is signed with an algorithm that is not taken'],
])

/** An identity, and until when its token holds: epoch milliseconds. */
export interface Verified {
  readonly identity: Identity
  readonly until: number
}

/** Verifies the tokens of one issuer: RFC 7519, section 7.2, and RFC 8725. */
export class Issuer {
  readonly #provider: OidcProvider
  readonly #keys: JWTVerifyGetKey

  constructor(provider: OidcProvider, keys: JWTVerifyGetKey) {
    this.#provider = provider
    this.#keys = keys
  }

  /**
   * @throws AuthenticationError when the token is not valid, or its bearer may not send
   * @throws RetryableError when the keys cannot be had
   */
  async verify(token: string): Promise<Verified> {
    const { issuer_url: issuer, audience, clock_skew } = this.#provider
    const clockTolerance = clock_skew / 1000
    const { payload } = await jwtVerify(token, this.#keys, {
      issuer,
      ...(audience !== undefined && { audience }),
      clockTolerance,
      algorithms: ALGORITHMS,
      requiredClaims: ['exp'],
    }).catch((error: unknown) => {
      throw refusalOf(error)
    })
    return { identity: this.#identity(payload), until: (payload.exp ?? 0) * 1000 + clock_skew }
  }

  #identity(claims: JWTPayload): Identity {
    const { username_claim, tenant_claim, groups_claim, allowed_groups } = this.#provider
    const subject = claims[username_claim]
    if (typeof subject !== 'string' || subject === '')
      throw forbidden(`the token has no claim ${username_claim}`)
    if (allowed_groups !== undefined) {
      const groups = [claims[groups_claim]].flat()
      if (!allowed_groups.some((group) => groups.includes(group)))
        throw forbidden('the bearer of the token is in none of the groups that may send')
    }
    if (tenant_claim === undefined) return { subject }
    const tenant = claims[tenant_claim]
    if (typeof tenant !== 'string' || tenant === '' || tenant.length > MAX_TENANT)
      throw forbidden(`the token has no claim ${tenant_claim} that can be a tenant`)
    return { subject, tenant }
  }
}

export function invalid(message: string): AuthenticationError {
  return new AuthenticationError('unauthenticated', message, 'Bearer error="invalid_token"')
}

function forbidden(message: string): AuthenticationError {
  return new AuthenticationError('forbidden', message, 'Bearer error="insufficient_scope"')
}

function refusalOf(error: unknown): Error {
  const fault = error instanceof errors.JOSEError ? FAULTS.get(error.code) : undefined
  if (fault !== undefined) return invalid(fault)
  return new RetryableError('the keys of the issuer cannot be had', {
    cause: error,
    reason: 'auth_unavailable',
  })
}
