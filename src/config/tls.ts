import { readFile } from 'node:fs/promises'
import type { ConnectionOptions } from 'node:tls'
import { z } from 'zod'
import { secret } from './fields.ts'

/** How to trust a server, and to be trusted by it, with the Collector's names. `checkTls` says what goes together. */
export const ClientTls = z.strictObject({
  ca_file: z
    .string()
    .optional()
    .describe('Certificates (PEM) of whoever vouches for the server; those of the system without it.'),
  ca_pem: z.string().optional().describe('The certificates themselves, in place of ca_file.'),
  cert_file: z.string().optional().describe('Certificate (PEM) to show to a server that asks for one.'),
  cert_pem: z.string().optional().describe('The certificate itself, in place of cert_file.'),
  key_file: z.string().optional().describe('Key (PEM) of that certificate.'),
  key_pem: secret().optional().describe('The key itself, in place of key_file.'),
  server_name_override: z
    .string()
    .optional()
    .describe('Name that the certificate must be for, where it is not the host connected to.'),
  insecure_skip_verify: z
    .boolean()
    .default(false)
    .describe('Takes any certificate: who stands in between can read and change everything.'),
  min_version: z.enum(['1.2', '1.3']).default('1.2').describe('Oldest version of TLS to agree on.'),
  max_version: z.enum(['1.2', '1.3']).optional().describe('Newest version of TLS to agree on.'),
})

export type ClientTls = z.output<typeof ClientTls>

/** Finds settings that contradict each other, and says so at `key`, which the mapping may not have. */
export function checkTls(tls: ClientTls, wrong: (key: string, message: string) => void): void {
  for (const name of ['ca', 'cert', 'key'] as const)
    if (tls[`${name}_file`] !== undefined && tls[`${name}_pem`] !== undefined)
      wrong(`${name}_pem`, `cannot be set together with ${name}_file`)
  const cert = tls.cert_file ?? tls.cert_pem
  const key = tls.key_file ?? tls.key_pem
  if (cert !== undefined && key === undefined)
    wrong('key_file', `is needed with ${tls.cert_file === undefined ? 'cert_pem' : 'cert_file'}`)
  if (key !== undefined && cert === undefined)
    wrong('cert_file', `is needed with ${tls.key_file === undefined ? 'key_pem' : 'key_file'}`)
  if (tls.min_version === '1.3' && tls.max_version === '1.2') wrong('max_version', 'is below min_version')
}

/** What a connection is made with. */
export type TlsOptions = Pick<
  ConnectionOptions,
  'rejectUnauthorized' | 'minVersion' | 'maxVersion' | 'servername' | 'ca' | 'cert' | 'key'
>

/** Files are read anew by every call. Throws when one cannot be read. */
export async function readClientTls(tls: ClientTls): Promise<TlsOptions> {
  const options: TlsOptions = {
    rejectUnauthorized: !tls.insecure_skip_verify,
    minVersion: `TLSv${tls.min_version}`,
  }
  if (tls.max_version !== undefined) options.maxVersion = `TLSv${tls.max_version}`
  if (tls.server_name_override !== undefined) options.servername = tls.server_name_override
  for (const name of ['ca', 'cert', 'key'] as const) {
    const file = tls[`${name}_file`]
    const pem = file === undefined ? tls[`${name}_pem`] : await readSettingFile(`tls.${name}_file`, file)
    if (pem !== undefined) options[name] = pem
  }
  return options
}

/** The text of a file that a setting names. Throws an error that says which. */
export async function readSettingFile(setting: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Error(`${setting}: ${path} cannot be read (${code})`, { cause: error })
  }
}
