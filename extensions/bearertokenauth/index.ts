import { credentialOf } from '../../src/auth/header.ts'
import { AuthenticationError, type Authenticator, type Identity } from '../../src/component.ts'
import { defineExtension, type ServerContext } from '../../src/define.ts'
import { WatchedFiles } from '../../src/watched-files.ts'
import { type BearerTokenConfig, config } from './config.ts'
import { type Labelled, parseTokens, Tokens } from './tokens.ts'

const INTERVAL_MS = 1000

/** Knows senders by a token that each sends along: RFC 6750. */
export const bearerTokenAuth = defineExtension({
  type: 'bearertokenauth',
  summary: 'Knows senders by a token. An authenticator, for the auth of receivers and admin endpoints.',
  isAuthenticator: true,
  config,
  example: { token: 'example' },

  create: (settings, context): Authenticator => new BearerTokenAuth(settings, context),
})

class BearerTokenAuth implements Authenticator {
  readonly #scheme: string
  readonly #header: string
  readonly #file: WatchedFiles
  #tokens: Tokens

  constructor({ scheme, header, token, tokens, filename }: BearerTokenConfig, context: ServerContext) {
    this.#scheme = scheme
    this.#header = header.toLowerCase()
    this.#tokens = new Tokens((tokens ?? (token === undefined ? [] : [token])).map(labelled))
    this.#file = new WatchedFiles({
      files: filename === undefined ? {} : { filename },
      interval: INTERVAL_MS,
      take: (texts) => {
        if ('filename' in texts) this.#tokens = new Tokens(parseTokens(texts.filename))
      },
      trouble: (problem) => context.health(problem === undefined ? 'ok' : 'degraded', problem),
      log: context.log,
      metrics: context.metrics,
    })
  }

  start(): Promise<void> {
    return this.#file.start()
  }

  stop(): Promise<void> {
    return this.#file.stop()
  }

  authenticate(headers: Parameters<Authenticator['authenticate']>[0]): Identity {
    const token = credentialOf(headers, this.#header, this.#scheme)
    if (token === undefined) throw this.#refusal(`a token is needed, in the header ${this.#header}`)
    const identity = this.#tokens.find(token)
    if (identity === undefined) throw this.#refusal('the token is not known')
    return identity
  }

  #refusal(message: string): AuthenticationError {
    return new AuthenticationError('unauthenticated', message, this.#scheme || 'Bearer')
  }
}

function labelled(given: string | Labelled): Labelled {
  return typeof given === 'string' ? { token: given } : given
}
