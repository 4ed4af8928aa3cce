import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'

/**
 * A batch id is HMAC-SHA-256, cut to 128 bits, of the request as received, under a key that lives with the
 * buffer: the same request gives the same id at every gateway of that buffer, after every retry, and nobody
 * can guess back from an id what redaction removed. Ahead of it stand six bytes of time, so that
 * neighbouring documents share a prefix, which Lucene's term dictionary compresses.
 */
const HASH_BYTES = 16
const TIME_BYTES = 6
export const KEY_BYTES = 32

export function newIdentityKey(): Buffer {
  return randomBytes(KEY_BYTES)
}

/** The id of a request: `timeMs` must come from the request itself, or a repeated one would get another id. */
export function batchId(key: Uint8Array, request: Uint8Array, timeMs: number): Buffer {
  const id = Buffer.allocUnsafe(TIME_BYTES + HASH_BYTES)
  id.writeUIntBE(timeMs % 2 ** 48, 0, TIME_BYTES)
  createHmac('sha256', keyObjectOf(key)).update(request).digest().copy(id, TIME_BYTES, 0, HASH_BYTES)
  return id
}

/** Preparing a key costs more than hashing a small request. */
const keyObjects = new WeakMap<Uint8Array, KeyObject>()

function keyObjectOf(key: Uint8Array): KeyObject {
  let object = keyObjects.get(key)
  if (object === undefined) keyObjects.set(key, (object = createSecretKey(key)))
  return object
}
