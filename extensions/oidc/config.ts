import { z } from 'zod'
import { duration } from '../../src/config/fields.ts'

const provider = z.strictObject({
  issuer_url: z
    .url({ protocol: /^https?$/, error: 'expected the URL of an issuer' })
    .describe('The issuer of the tokens, exactly as their claim iss has it; its keys are found from there.'),
  audience: z.string().min(1).optional().describe('What the claim aud must hold.'),
  ignore_audience: z.boolean().default(false).describe('Takes tokens for any audience.'),
  issuer_ca_path: z
    .string()
    .optional()
    .describe('Certificates (PEM) of whoever vouches for the issuer; those of the system without it.'),
  public_keys_file: z
    .string()
    .optional()
    .describe(
      'File with the keys of the issuer (JWKS), in place of asking for them; it is read again when it changes.',
    ),
  jwks_url: z
    .url({ protocol: /^https?$/, error: 'expected a URL' })
    .optional()
    .describe(
      'Where the keys are (JWKS), in place of what the issuer says at .well-known/openid-configuration.',
    ),
  username_claim: z.string().default('sub').describe('The claim that says who sends.'),
  tenant_claim: z
    .string()
    .optional()
    .describe('The claim that says whose logs these are; without it there is no tenant.'),
  groups_claim: z.string().default('groups').describe('The claim with the groups of who sends.'),
  allowed_groups: z
    .array(z.string())
    .min(1, 'names no group')
    .optional()
    .describe('Who is in none of these groups may not send; without it, everybody with a valid token may.'),
  clock_skew: duration().prefault('30s').describe('How far the clocks of issuer and collector may be apart.'),
})

type Provider = z.output<typeof provider>

export const config = z
  .strictObject({
    ...provider.partial().shape,
    attribute: z.string().min(1).default('Authorization').describe('The header that holds the token.'),
    providers: z
      .array(provider)
      .min(1, 'names no provider')
      .optional()
      .describe('Several issuers, in place of the one above; a token goes to its own.'),
  })
  .superRefine((settings, context) => {
    const wrong = (path: PropertyKey[], message: string): void =>
      context.addIssue({ code: 'custom', path, message })
    const { issuer_url: url, providers } = settings
    if ((url === undefined) === (providers === undefined)) {
      wrong(url === undefined ? [] : ['providers'], 'expected either issuer_url or providers')
      return
    }
    for (const [index, { audience, ignore_audience, public_keys_file, jwks_url }] of providersOf(
      settings,
    ).entries()) {
      const at = providers === undefined ? [] : ['providers', index]
      if (audience === undefined && !ignore_audience)
        wrong([...at, 'audience'], 'is needed, or ignore_audience: true')
      if (public_keys_file !== undefined && jwks_url !== undefined)
        wrong([...at, 'jwks_url'], 'cannot be set together with public_keys_file')
    }
  })

export type OidcConfig = z.output<typeof config>
export type OidcProvider = Provider

/** The issuers whose tokens are taken. */
export function providersOf(settings: OidcConfig): readonly OidcProvider[] {
  // Checked: without providers, the settings of one stand at the top.
  return settings.providers ?? [settings as OidcProvider]
}
