import type { ServerContext } from '../../../src/define.ts'
import type { Troubles } from '../../../src/telemetry/troubles.ts'
import { ServerCertificates } from '../../../src/tls/server-certificates.ts'
import type { GrpcSettings, HttpSettings } from '../config.ts'
import { Door } from './door.ts'
import type { RateLimits } from './rate-limits.ts'
import type { TenantSettings } from './tenant-config.ts'

/** What stands before a protocol: how clients connect, and which may send. */
export interface Guard {
  readonly certificates: ServerCertificates | undefined
  readonly door: Door
}

export interface GuardOptions {
  readonly tenant: TenantSettings
  readonly limits: RateLimits | undefined
  readonly troubles: Troubles
  readonly context: ServerContext
}

export function guardOf(
  protocol: string,
  { tls, auth }: Pick<GrpcSettings | HttpSettings, 'tls' | 'auth'>,
  { tenant, limits, troubles, context }: GuardOptions,
): Guard {
  const { log, metrics } = context
  const trouble = troubles.of(protocol)
  return {
    certificates: tls && new ServerCertificates(tls, { log, metrics, trouble }),
    door: new Door(auth && context.authenticator(auth.authenticator), tenant, limits),
  }
}
