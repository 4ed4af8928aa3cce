import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import { credentialOf } from '../../src/auth/header.ts'
import { KnownCredentials } from '../../src/auth/known-credentials.ts'
import { AuthenticationError, type Authenticator, type Identity } from '../../src/component.ts'
import { secret } from '../../src/config/fields.ts'
import { defineExtension, type ServerContext } from '../../src/define.ts'
import { WatchedFiles } from '../../src/watched-files.ts'
import { Passwords } from './passwords.ts'

const INTERVAL_MS = 1000
/** bcrypt takes a tenth of a second of a core, on purpose: that is not for every request. */
const REMEMBERED_MS = 60_000
/** The same wrong password again, from a client that is set up wrong. */
const REFUSED_MS = 5000
const MOST = 1024

const config = z.strictObject({
  htpasswd: z
    .strictObject({
      file: z
        .string()
        .optional()
        .describe(
          'File with users and passwords as the program htpasswd makes it; read again when it changes.',
        ),
      inline: secret().optional().describe('The same as text, one user a line; it goes before the file.'),
    })
    .refine(({ file, inline }) => file !== undefined || inline !== undefined, 'expected file, inline or both')
    .describe(
      'The users: a line `name:hash` for each, with bcrypt (htpasswd -B), {SHA} or the password itself.',
    ),
})

/** Knows senders by name and password: RFC 7617. The name is the tenant. */
export const basicAuth = defineExtension({
  type: 'basicauth',
  summary:
    'Knows senders by name and password; the name is the tenant. An authenticator, for the auth of receivers and admin endpoints.',
  isAuthenticator: true,
  config,
  example: { htpasswd: { inline: 'example:example' } },

  create: ({ htpasswd }, context): Authenticator => new BasicAuth(htpasswd, context),
})

class BasicAuth implements Authenticator {
  readonly #file: WatchedFiles
  readonly #accepted = new KnownCredentials<Identity>(MOST)
  /** What is being verified, or has just been refused. */
  readonly #tried = new KnownCredentials<Promise<Identity>>(MOST)
  #passwords: Passwords

  constructor({ file, inline = '' }: z.output<typeof config>['htpasswd'], context: ServerContext) {
    this.#passwords = new Passwords('', '')
    this.#file = new WatchedFiles({
      files: file === undefined ? {} : { 'htpasswd.file': file },
      interval: INTERVAL_MS,
      take: (texts) => this.#take(new Passwords(texts['htpasswd.file'] ?? '', inline)),
      trouble: (problem) => context.health(problem === undefined ? 'ok' : 'degraded', problem),
      log: context.log,
      metrics: context.metrics,
    })
  }

  start(): Promise<void> {
    return this.#file.start()
  }

  async stop(): Promise<void> {
    await this.#file.stop()
    await this.#passwords.stop()
  }

  authenticate(headers: IncomingHttpHeaders): Identity | Promise<Identity> {
    const credential = credentialOf(headers, 'authorization', 'Basic')
    if (credential === undefined) throw refusal('a name and a password are needed')
    const known = this.#accepted.get(credential) ?? this.#tried.get(credential)
    if (known !== undefined) return known
    const verified = this.#verify(credential)
    this.#tried.set(credential, verified, Date.now() + REFUSED_MS)
    return verified
  }

  async #verify(credential: string): Promise<Identity> {
    const passwords = this.#passwords
    const text = Buffer.from(credential, 'base64').toString()
    const colon = text.indexOf(':')
    const name = text.slice(0, Math.max(colon, 0))
    const isRight = await passwords.verify(name, text.slice(colon + 1)).catch((error: unknown) => {
      // Whoever could not be told from others is to be asked again.
      this.#tried.forget(credential)
      throw error
    })
    if (!isRight) throw refusal('name or password is wrong')
    const identity = { subject: name, tenant: name }
    // The file may have changed meanwhile.
    if (passwords === this.#passwords) this.#accepted.set(credential, identity, Date.now() + REMEMBERED_MS)
    return identity
  }

  #take(passwords: Passwords): void {
    const before = this.#passwords
    this.#passwords = passwords
    this.#accepted.clear()
    this.#tried.clear()
    void before.stop()
  }
}

function refusal(message: string): AuthenticationError {
  return new AuthenticationError('unauthenticated', message, 'Basic realm="sluice", charset="UTF-8"')
}
