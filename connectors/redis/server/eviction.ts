import { RetryableError } from '../../../src/component.ts'
import type { RedisClient } from '../connection/client.ts'

/** Sets the policy under which a server deletes nothing. Returns why it cannot, or nothing. */
export async function forbidEviction(client: RedisClient): Promise<string | undefined> {
  try {
    await client.command('CONFIG', ['SET', 'maxmemory-policy', 'noeviction'])
    return undefined
  } catch (error) {
    if (error instanceof RetryableError && (error.reason === 'denied' || error.reason === 'refused')) {
      return 'fix_noeviction could not set it, since the user may not run CONFIG SET: set maxmemory-policy in the config of the server, or allow the user +config|set'
    }
    throw error
  }
}
