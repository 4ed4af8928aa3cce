import { readFile } from 'node:fs/promises'
import type { Target } from './link.ts'
import type { Credentials, Tls } from './settings.ts'

/**
 * How to get into a server. Files are read anew for every connection, so that passwords and certificates may be
 * exchanged while Sluice runs.
 */
export async function accessOf(
  { username, password, password_file }: Credentials,
  tls: Tls | undefined,
): Promise<Target> {
  const access: Target = {}
  if (username !== undefined) access.username = username
  if (password !== undefined) access.password = password
  if (password_file !== undefined) access.password = (await text('password_file', password_file)).trimEnd()
  if (tls !== undefined) access.tls = await secured(tls)
  return access
}

async function secured(tls: Tls): Promise<NonNullable<Target['tls']>> {
  const options: NonNullable<Target['tls']> = {
    rejectUnauthorized: !tls.insecure_skip_verify,
    minVersion: `TLSv${tls.min_version}`,
  }
  if (tls.ca_file !== undefined) options.ca = await text('tls.ca_file', tls.ca_file)
  if (tls.cert_file !== undefined) options.cert = await text('tls.cert_file', tls.cert_file)
  if (tls.key_file !== undefined) options.key = await text('tls.key_file', tls.key_file)
  if (tls.server_name_override !== undefined) options.servername = tls.server_name_override
  return options
}

async function text(setting: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Error(`${setting}: ${path} cannot be read (${code})`, { cause: error })
  }
}
