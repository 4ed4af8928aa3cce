import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { MalformedError } from '../logs/wire.ts'
import { memory } from '../memory.ts'

/**
 * A sealed element is a packed one under AES-256-GCM:
 *
 * ```
 * magic        4   0, 'SLE': no protobuf message and no zstd frame begins so
 * version      1   1
 * id length    1
 * id               the key's name, for people
 * fingerprint  8   of the key, which is found by it
 * salt        16
 * nonce       12   random
 * ciphertext       of the element's length
 * tag         16   also of all that stands before the ciphertext
 * ```
 *
 * The key in the file encrypts nothing itself: every sealer derives a key of its own from it, by HKDF-SHA-256 with a
 * random salt, and another one after 2^20 elements. So random nonces never come near the 2^32 elements after which
 * NIST SP 800-38D wants a key changed, however many gateways share the file and however long.
 */
const MAGIC = Buffer.from('\0SLE', 'latin1')
const VERSION = 1
const ID_LENGTH = MAGIC.length + 1
const ID = ID_LENGTH + 1
const FINGERPRINT_BYTES = 8
const SALT_BYTES = 16
const NONCE_BYTES = 12
const TAG_BYTES = 16
const FIXED_BYTES = ID + FINGERPRINT_BYTES + SALT_BYTES + NONCE_BYTES
const ELEMENTS_PER_SALT = 2 ** 20
/** Derived keys that are kept: as many gateways' as are likely to be read at a time. */
const MAX_DERIVED = 1024
const ALGORITHM = 'aes-256-gcm'

export const SEAL_KEY_BYTES = 32

/** A key out of a file. */
export interface SealKey {
  readonly id: string
  /** Hexadecimal; tells keys apart and gives nothing away. */
  readonly fingerprint: string
  readonly secret: KeyObject
}

/** The element is sealed with a key that is not known here: with it, the element is as good as any. */
export class MissingKeyError extends Error {
  override readonly name = 'MissingKeyError'
  readonly fingerprint: string

  constructor(id: string, fingerprint: string) {
    super(
      `elements are sealed with the key "${id}" (fingerprint ${fingerprint}), which is not among the keys of encryption: add it, and they will be read`,
    )
    this.fingerprint = fingerprint
  }
}

export function sealKey(id: string, bytes: Buffer): SealKey {
  const fingerprint = Buffer.from(hkdfSync('sha256', bytes, '', 'sluice key fingerprint', FINGERPRINT_BYTES))
  return { id, fingerprint: fingerprint.toString('hex'), secret: createSecretKey(bytes) }
}

export function isSealed(element: Buffer): boolean {
  return element.length >= MAGIC.length && MAGIC.compare(element, 0, MAGIC.length) === 0
}

/** Seals elements with one key. */
export class Sealer {
  readonly #key: SealKey
  /** All but the nonce. */
  #header = Buffer.alloc(0)
  #derived: KeyObject | undefined
  #left = 0

  constructor(key: SealKey) {
    this.#key = key
  }

  /** The result shares nothing with `packed`, and may be given to `memory`. */
  seal(packed: Buffer): Buffer {
    if (this.#left-- === 0 || this.#derived === undefined) this.#derive()
    const header = this.#header
    const at = header.length + NONCE_BYTES
    const sealed = memory.take(at + packed.length + TAG_BYTES)
    sealed.set(header)
    sealed.set(randomBytes(NONCE_BYTES), header.length)
    const cipher = createCipheriv(ALGORITHM, this.#derived as KeyObject, sealed.subarray(header.length, at))
    cipher.setAAD(sealed.subarray(0, at))
    const content = memory.adopt(cipher.update(packed))
    sealed.set(content, at)
    memory.give(content)
    cipher.final()
    sealed.set(cipher.getAuthTag(), at + packed.length)
    return sealed
  }

  #derive(): void {
    const { id, fingerprint, secret } = this.#key
    const salt = randomBytes(SALT_BYTES)
    this.#derived = derive(secret, salt)
    this.#left = ELEMENTS_PER_SALT
    const name = Buffer.from(id)
    this.#header = Buffer.concat([
      MAGIC,
      Buffer.of(VERSION, name.length),
      name,
      Buffer.from(fingerprint, 'hex'),
      salt,
    ])
  }
}

/** Opens what was sealed with any of the keys that `find` knows, by fingerprint. */
export class Opener {
  readonly #find: (fingerprint: string) => SealKey | undefined
  readonly #derived = new Map<string, KeyObject>()

  constructor(find: (fingerprint: string) => SealKey | undefined) {
    this.#find = find
  }

  /**
   * The packed element.
   * @throws MissingKeyError when none of the keys is the one, MalformedError when the element was changed
   */
  open(sealed: Buffer): Buffer {
    if (sealed[MAGIC.length] !== VERSION)
      throw new MalformedError('the seal is of a version that is not known')
    const keyAt = ID + sealed[ID_LENGTH]
    const at = FIXED_BYTES + sealed[ID_LENGTH]
    const end = sealed.length - TAG_BYTES
    if (!(end >= at)) throw new MalformedError('the sealed element is cut short')
    const saltAt = keyAt + FINGERPRINT_BYTES
    const nonceAt = saltAt + SALT_BYTES
    const fingerprint = sealed.toString('hex', keyAt, saltAt)
    const key = this.#find(fingerprint)
    if (key === undefined) throw new MissingKeyError(sealed.toString('latin1', ID, keyAt), fingerprint)
    const derived = this.#derivedKey(key, sealed.subarray(saltAt, nonceAt))
    const decipher = createDecipheriv(ALGORITHM, derived, sealed.subarray(nonceAt, at), {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(sealed.subarray(0, at)).setAuthTag(sealed.subarray(end))
    const packed = memory.adopt(decipher.update(sealed.subarray(at, end)))
    try {
      decipher.final()
    } catch (cause) {
      memory.give(packed)
      throw new MalformedError('the sealed element was changed after it was sealed', { cause })
    }
    return packed
  }

  #derivedKey({ fingerprint, secret }: SealKey, salt: Buffer): KeyObject {
    const name = fingerprint + salt.toString('latin1')
    const known = this.#derived.get(name)
    if (known !== undefined) return known
    const [oldest] = this.#derived.keys()
    if (this.#derived.size >= MAX_DERIVED && oldest !== undefined) this.#derived.delete(oldest)
    const derived = derive(secret, salt)
    this.#derived.set(name, derived)
    return derived
  }
}

function derive(secret: KeyObject, salt: Buffer): KeyObject {
  return createSecretKey(
    Buffer.from(hkdfSync('sha256', secret, salt, 'sluice sealed element', SEAL_KEY_BYTES)),
  )
}
