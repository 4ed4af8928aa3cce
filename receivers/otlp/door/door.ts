import type { IncomingHttpHeaders } from 'node:http'
import type { PeerCertificate } from 'node:tls'
import { AuthenticationError, type Authenticator, type Identity } from '../../../src/component.ts'
import { tenantOf } from './certificate-tenant.ts'
import type { Allowance, RateLimits } from './rate-limits.ts'
import type { TenantSettings } from './tenant-config.ts'

/** Whoever was let in with a request. */
export interface Sender {
  readonly tenant: string | undefined
  /** What it may still send; undefined for any amount. */
  readonly allowance: Allowance | undefined
}

/** What is known of a request before its body is read. */
export interface Caller {
  readonly headers: IncomingHttpHeaders
  /** Bytes of the body, where the client has said so. */
  readonly length?: number | undefined
  /** What the client showed; asked for only where that says whose logs these are. */
  readonly certificate: () => PeerCertificate | undefined
}

/** Of whom nothing is known. */
export const NOBODY: Sender = { tenant: undefined, allowance: undefined }

/** Lets a request in before its body is read, or turns it away. */
export class Door {
  readonly #authenticator: Authenticator | undefined
  readonly #from: TenantSettings['from']
  readonly #limits: RateLimits | undefined

  constructor(
    authenticator: Authenticator | undefined,
    { from }: TenantSettings,
    limits: RateLimits | undefined,
  ) {
    this.#authenticator = authenticator
    this.#from = from
    this.#limits = limits
  }

  /**
   * @throws AuthenticationError, also by rejecting, for who may not send
   * @throws Throttled, likewise, for who has sent enough
   */
  admit(caller: Caller): Sender | Promise<Sender> {
    if (this.#authenticator === undefined) return this.#enter(caller, undefined)
    const identity = this.#authenticator.authenticate(caller.headers)
    return identity instanceof Promise
      ? identity.then((known) => this.#enter(caller, known))
      : this.#enter(caller, identity)
  }

  #enter(caller: Caller, identity: Identity | undefined): Sender {
    const tenant = this.#from === 'credential' ? identity?.tenant : this.#ofCertificate(caller, this.#from)
    if (this.#limits === undefined) return tenant === undefined ? NOBODY : { tenant, allowance: undefined }
    const allowance = this.#limits.of(tenant)
    allowance?.take({ requests: 1, bytes: caller.length ?? 0, records: 0 })
    return { tenant, allowance }
  }

  #ofCertificate(caller: Caller, from: 'certificate_cn' | 'certificate_san'): string {
    const tenant = tenantOf(caller.certificate(), from)
    if (tenant !== undefined) return tenant
    throw new AuthenticationError('forbidden', 'the certificate holds no name that can be a tenant', 'Bearer')
  }
}
