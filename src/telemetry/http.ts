import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Auth } from '../config/auth.ts'
import type { Endpoint } from '../config/fields.ts'
import type { ServerTls } from '../config/server-tls.ts'
import type { ServerContext } from '../define.ts'
import { ServerCertificates } from '../tls/server-certificates.ts'
import { onlyFor } from './only-for.ts'

/** A small HTTP server for operators. */
export interface AdminServer {
  readonly port: number
  close(): Promise<void>
}

/** Where it listens, and for whom. */
export interface AdminSettings {
  readonly endpoint: Endpoint
  readonly auth?: Auth | undefined
  readonly tls?: ServerTls | undefined
}

const TIMEOUTS = { requestTimeout: 10_000, headersTimeout: 10_000 }

/** Listens on `endpoint`; rejects with a sentence that names it when the port is taken. */
export async function serve(
  { endpoint: { host, port }, auth, tls }: AdminSettings,
  purpose: string,
  { log, metrics, health, authenticator }: ServerContext,
  listener: RequestListener,
): Promise<AdminServer> {
  const guarded = auth ? onlyFor(authenticator(auth.authenticator), listener, log) : listener
  const trouble = (problem: string | undefined): void => health(problem ? 'degraded' : 'ok', problem)
  const certificates = tls && new ServerCertificates(tls, { log, metrics, trouble })
  await certificates?.start()
  const server = certificates
    ? createSecureServer({ ...TIMEOUTS, ...certificates.options }, guarded)
    : createServer(TIMEOUTS, guarded)
  certificates?.serve(server)
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (cause) {
    await certificates?.stop()
    const code = (cause as NodeJS.ErrnoException).code ?? 'error'
    throw new Error(`${purpose} cannot listen on ${host}:${port} (${code})`, { cause })
  }
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      await certificates?.stop()
      server.closeAllConnections()
      if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
