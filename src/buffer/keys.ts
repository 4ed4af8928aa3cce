import { readFileSync, statSync } from 'node:fs'
import type { Logger } from 'pino'
import type { EncryptionConfig } from './config.ts'
import { SEAL_KEY_BYTES, type SealKey, sealKey } from './seal.ts'

/** Between two looks for a key that is missing. */
const RELOAD_INTERVAL_MS = 1_000
const OTHERS_MAY_READ = 0o077
const HEX = /^[0-9a-f]{64}$/i
const BASE64 = /^[A-Za-z0-9+/]{43}=$/

/**
 * The keys out of the files of `encryption`. When one is asked for that is not among them, the files are read again: a
 * key that was exchanged in its place takes effect without a restart. Keys once read stay known.
 */
export class Keys {
  readonly #files: readonly { readonly id: string; readonly file: string }[]
  readonly #active: string
  readonly #log: Logger
  readonly #known = new Map<string, SealKey>()
  readonly #warned = new Set<string>()
  #sealing: SealKey
  #readAt = 0

  /** @throws when a file cannot be read or holds no key */
  constructor({ key_file, keys, active }: EncryptionConfig, log: Logger) {
    this.#files = keys ?? [{ id: 'default', file: key_file ?? '' }]
    this.#active = active ?? this.#files[0].id
    this.#log = log
    this.#sealing = this.#read()
  }

  /** What new elements are sealed with. */
  get sealing(): SealKey {
    return this.#sealing
  }

  find(fingerprint: string): SealKey | undefined {
    const known = this.#known.get(fingerprint)
    if (known !== undefined || performance.now() - this.#readAt < RELOAD_INTERVAL_MS) return known
    try {
      this.#sealing = this.#read()
    } catch (err) {
      this.#log.warn({ err }, 'the keys could not be read again')
    }
    return this.#known.get(fingerprint)
  }

  #read(): SealKey {
    this.#readAt = performance.now()
    const keys = this.#files.map(({ id, file }) => sealKey(id, this.#readFile(file)))
    for (const key of keys) this.#known.set(key.fingerprint, key)
    return keys.find(({ id }) => id === this.#active) as SealKey
  }

  #readFile(file: string): Buffer {
    let content: Buffer
    let mode: number
    try {
      content = readFileSync(file)
      mode = statSync(file).mode & 0o777
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'error'
      const what = code === 'ENOENT' ? 'does not exist' : `could not be read (${code})`
      throw new Error(`the key file ${file} ${what}: the buffer cannot be used without it`, { cause })
    }
    if ((mode & OTHERS_MAY_READ) !== 0 && !this.#warned.has(file)) {
      this.#warned.add(file)
      this.#log.warn(
        { file, mode: mode.toString(8) },
        'others may read the key file: chmod 600 would keep them out',
      )
    }
    const key = decodeKey(content)
    if (key !== undefined) return key
    throw new Error(
      `the key file ${file} holds no key: expected ${SEAL_KEY_BYTES} bytes, or the same in hex or base64; openssl rand -hex 32 makes one`,
    )
  }
}

function decodeKey(content: Buffer): Buffer | undefined {
  if (content.length === SEAL_KEY_BYTES) return content
  const text = content.toString('latin1').trim()
  if (HEX.test(text)) return Buffer.from(text, 'hex')
  return BASE64.test(text) ? Buffer.from(text, 'base64') : undefined
}
