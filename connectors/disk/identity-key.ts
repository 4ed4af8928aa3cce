import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode, syncDirectory } from '../../src/files.ts'
import { KEY_BYTES, newIdentityKey } from '../../src/logs/identity.ts'

const NAME = 'identity.key'

/** The key that batch ids are made with: made once, and from then on as lasting as the folder. */
export async function identityKey(directory: string): Promise<Buffer> {
  const path = join(directory, NAME)
  const key = await readFile(path).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  })
  if (key === undefined) {
    const made = newIdentityKey()
    await keepIdentityKey(directory, made)
    return made
  }
  if (key.length === KEY_BYTES) return key
  throw new Error(
    `${path} has ${key.length} bytes, not ${KEY_BYTES}: put the right one back, or delete it and have repeated requests counted as new`,
  )
}

/** Makes this the key of the folder. It is complete before it has its name: a crash must not leave half a key. */
export async function keepIdentityKey(directory: string, key: Buffer): Promise<void> {
  const path = join(directory, NAME)
  const draft = `${path}.new`
  const handle = await open(draft, 'w', 0o600)
  try {
    await handle.writeFile(key)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(draft, path)
  await syncDirectory(directory)
}
