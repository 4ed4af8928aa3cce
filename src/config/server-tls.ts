import { z } from 'zod'
import { duration, secret } from './fields.ts'

/**
 * The cipher suites of TLS 1.2 that HTTP/2 allows (RFC 9113, appendix A) and Go, whose names these are, calls secure; with
 * their names in OpenSSL.
 */
export const CIPHER_SUITES = {
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
} as const

type Suite = keyof typeof CIPHER_SUITES

const shape = z.strictObject({
  cert_file: z
    .string()
    .optional()
    .describe('Certificate (PEM) to show to clients, and those between it and its authority.'),
  cert_pem: z.string().optional().describe('The certificate itself, in place of cert_file.'),
  key_file: z.string().optional().describe('Key (PEM) of that certificate.'),
  key_pem: secret().optional().describe('The key itself, in place of key_file.'),
  client_ca_file: z
    .string()
    .optional()
    .describe(
      'Certificates (PEM) of whoever vouches for clients: with it, only clients with a certificate of theirs may connect.',
    ),
  client_ca_file_reload: z
    .boolean()
    .default(true)
    .describe('Whether client_ca_file is read again too when it changes.'),
  reload_interval: duration()
    .prefault('1m')
    .describe('How often to look whether the files have changed; open connections stay. 0s never looks.'),
  min_version: z.enum(['1.2', '1.3']).default('1.2').describe('Oldest version of TLS to agree on.'),
  max_version: z.enum(['1.2', '1.3']).optional().describe('Newest version of TLS to agree on.'),
  cipher_suites: z
    .array(z.enum(Object.keys(CIPHER_SUITES) as [Suite, ...Suite[]]))
    .min(1, 'names no cipher suite')
    .optional()
    .describe('Cipher suites of TLS 1.2 to agree on; those of TLS 1.3 are always allowed.'),
})

export type ServerTls = z.output<typeof shape>

/** How a server shows who it is, and asks its clients, with the Collector's names. */
export function serverTls() {
  return shape.superRefine((tls, context) => {
    const wrong = (key: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [key], message })
    for (const name of ['cert', 'key'] as const) {
      if (tls[`${name}_file`] !== undefined && tls[`${name}_pem`] !== undefined)
        wrong(`${name}_pem`, `cannot be set together with ${name}_file`)
      else if (tls[`${name}_file`] === undefined && tls[`${name}_pem`] === undefined)
        wrong(`${name}_file`, 'is needed: a server has a certificate and its key')
    }
    if (tls.min_version === '1.3' && tls.max_version === '1.2') wrong('max_version', 'is below min_version')
  })
}
