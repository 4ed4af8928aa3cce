import {
  type Cipheriv,
  createCipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto'

/**
 * A batch id is a keyed hash, 128 bits, of the request as received, under a key that lives with the buffer: the same
 * request gives the same id at every gateway of that buffer, after every retry, and nobody can guess back from an id
 * what redaction removed. Ahead of it stand six bytes of time, so that neighbouring documents share a prefix, which
 * Lucene's term dictionary compresses.
 *
 * The request goes through GHASH, as the authenticated data of AES-GCM, and the tag through AES under another key: a
 * universal hash under a secret key with a pseudo-random function on top is one itself, and GHASH is six times faster
 * than SHA-256. The tag alone would not do: two of them under one nonce give its key away, so it never leaves this file.
 */
const HASH_BYTES = 16
const TIME_BYTES = 6
export const KEY_BYTES = 32
const NONCE = Buffer.alloc(12)

interface Keys {
  readonly ghash: KeyObject
  /** AES of single blocks, which may go on for ever. */
  readonly aes: Cipheriv
  readonly tenants: KeyObject
}

export function newIdentityKey(): Buffer {
  return randomBytes(KEY_BYTES)
}

/**
 * The id of a request: `timeMs` must come from the request itself, or a repeated one would get another id. The same bytes
 * from two tenants are two requests.
 */
export function batchId(key: Uint8Array, request: Uint8Array, timeMs: number, tenant?: string): Buffer {
  const { ghash, aes, tenants } = keysOf(key)
  const cipher = createCipheriv('aes-256-gcm', ghash, NONCE).setAAD(request)
  cipher.final()
  const block = cipher.getAuthTag()
  if (tenant !== undefined) {
    const mask = createHmac('sha256', tenants).update(tenant).digest()
    for (let i = 0; i < HASH_BYTES; i++) block[i] ^= mask[i]
  }
  const id = Buffer.allocUnsafe(TIME_BYTES + HASH_BYTES)
  id.writeUIntBE(timeMs % 2 ** 48, 0, TIME_BYTES)
  aes.update(block).copy(id, TIME_BYTES)
  return id
}

/** Preparing keys costs more than hashing a small request. */
const prepared = new WeakMap<Uint8Array, Keys>()

function keysOf(key: Uint8Array): Keys {
  let keys = prepared.get(key)
  if (keys === undefined) {
    const derive = (use: string): KeyObject => createSecretKey(createHmac('sha256', key).update(use).digest())
    const aes = createCipheriv('aes-256-ecb', derive('aes'), null)
    prepared.set(key, (keys = { ghash: derive('ghash'), aes, tenants: derive('tenants') }))
  }
  return keys
}
