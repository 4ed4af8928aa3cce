import type { IncomingMessage, RequestListener } from 'node:http'
import type { Logger } from 'pino'
import { AuthenticationError, type Authenticator, RetryableError } from '../component.ts'

/** Answers only those whom the authenticator knows. */
export function onlyFor(
  authenticator: Authenticator,
  listener: RequestListener,
  log: Logger,
): RequestListener {
  return (request, response) => {
    const turnAway = (error: unknown): void => {
      const refusal = error instanceof AuthenticationError ? error : undefined
      if (!refusal && !(error instanceof RetryableError))
        log.error({ err: error }, 'authentication failed unexpectedly')
      const status = refusal === undefined ? 503 : refusal.reason === 'forbidden' ? 403 : 401
      response.writeHead(status, {
        'content-type': 'text/plain; charset=utf-8',
        connection: 'close',
        ...(refusal && { 'www-authenticate': refusal.challenge }),
      })
      response.end(`${refusal?.message ?? 'nobody can say at the moment who you are'}\n`)
    }
    identified(authenticator, request).then(() => listener(request, response), turnAway)
  }
}

async function identified(authenticator: Authenticator, { headers }: IncomingMessage): Promise<void> {
  await authenticator.authenticate(headers)
}
