import { createHash, timingSafeEqual } from 'node:crypto'
import { BcryptThread } from './bcrypt-thread.ts'

const LINE = /^([^:\s][^:]{0,127}):(\S+)$/
const BCRYPT = /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/
const SHA = '{SHA}'

/** Users and how to tell their passwords: https://httpd.apache.org/docs/2.4/misc/password_encryptions.html */
export class Passwords {
  readonly #hashes = new Map<string, string>()
  /** Compared where there is no such user: how long an answer takes must not say who is one. */
  readonly #decoy: string | undefined
  readonly #bcrypt = new BcryptThread()

  /** Throws where a line is wrong, or of a kind that is not known; `inline` goes before `file`. */
  constructor(file: string, inline: string) {
    this.#add('htpasswd.file', file)
    this.#add('htpasswd.inline', inline)
    this.#decoy = [...this.#hashes.values()].find((hash) => BCRYPT.test(hash))
  }

  /** @throws RetryableError when too many passwords are being verified */
  async verify(name: string, password: string): Promise<boolean> {
    const hash = this.#hashes.get(name)
    const compared = hash ?? this.#decoy ?? ''
    if (BCRYPT.test(compared)) return (await this.#bcrypt.compare(password, compared)) && hash !== undefined
    if (hash === undefined) return false
    if (!hash.startsWith(SHA)) return equal(digest('sha256', password), digest('sha256', hash))
    return equal(digest('sha1', password), Buffer.from(hash.slice(SHA.length), 'base64'))
  }

  stop(): Promise<void> {
    return this.#bcrypt.stop()
  }

  #add(setting: string, text: string): void {
    for (const [index, line] of text.split('\n').entries()) {
      const trimmed = line.trim()
      if (trimmed === '' || trimmed.startsWith('#')) continue
      const [, name, hash] = LINE.exec(trimmed) ?? []
      const wrong = (what: string): Error => new Error(`${setting}: line ${index + 1} ${what}`)
      if (name === undefined) throw wrong('is not name:hash')
      const isKnown = BCRYPT.test(hash) || hash.startsWith(SHA) || !/^[${]/.test(hash)
      if (!isKnown) throw wrong('has a hash of a kind that is not known; make it with htpasswd -B')
      this.#hashes.set(name, hash)
    }
  }
}

function digest(algorithm: string, text: string): Buffer {
  return createHash(algorithm).update(text).digest()
}

function equal(left: Buffer, right: Buffer): boolean {
  return left.length === right.length && timingSafeEqual(left, right)
}
