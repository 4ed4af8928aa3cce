import { type ClientTls, readClientTls, readSettingFile } from '../../../src/config/tls.ts'
import type { Target } from './link.ts'
import type { Credentials } from './settings.ts'

/**
 * How to get into a server. Files are read anew for every connection, so that passwords and certificates may be
 * exchanged while Sluice runs.
 */
export async function accessOf(
  { username, password, password_file }: Credentials,
  tls: ClientTls | undefined,
): Promise<Target> {
  const access: Target = {}
  if (username !== undefined) access.username = username
  if (password !== undefined) access.password = password
  if (password_file !== undefined)
    access.password = (await readSettingFile('password_file', password_file)).trimEnd()
  if (tls !== undefined) access.tls = await readClientTls(tls)
  return access
}
