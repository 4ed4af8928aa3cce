import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Endpoint } from '../config/fields.ts'

/** A small HTTP server for operators. */
export interface AdminServer {
  readonly port: number
  close(): Promise<void>
}

/** Listens on `endpoint`; rejects with a sentence that names it when the port is taken. */
export async function serve(
  { host, port }: Endpoint,
  purpose: string,
  listener: RequestListener,
): Promise<AdminServer> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, listener)
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'error'
    throw new Error(`${purpose} cannot listen on ${host}:${port} (${code})`, { cause })
  }
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections()
      if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
