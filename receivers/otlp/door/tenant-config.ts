import { z } from 'zod'
import type { ServerTls } from '../../../src/config/server-tls.ts'

export const tenant = z.strictObject({
  from: z
    .enum(['credential', 'certificate_cn', 'certificate_san'])
    .default('credential')
    .describe(
      'What says whose logs these are: the credential that the authenticator knows, or the name (CN) or first alternative name (SAN) in the certificate of the client. Never a header that a client may choose.',
    ),
  attribute: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Attribute of the resource that the tenant is written to, in place of what the client sent under that name: tenant.id.',
    ),
})

export type TenantSettings = z.output<typeof tenant>

interface Checked {
  readonly tenant: TenantSettings
  readonly protocols: Readonly<Record<string, { readonly tls?: ServerTls | undefined } | undefined>>
}

/** A certificate says nothing where clients need not show one. */
export function checkTenant({ tenant, protocols }: Checked, context: z.core.$RefinementCtx): void {
  if (tenant.from === 'credential') return
  for (const [name, protocol] of Object.entries(protocols)) {
    if (protocol === undefined || protocol.tls?.client_ca_file !== undefined) continue
    context.addIssue({
      code: 'custom',
      path: ['tenant', 'from'],
      message: `needs protocols.${name}.tls.client_ca_file: without it clients show no certificate`,
    })
  }
}
