import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'
import type { Endpoint } from '../../src/config/fields.ts'

/** A protocol that is being served. */
export interface Listener {
  /** `127.0.0.1:4317`, with the real port where 0 was asked for. */
  readonly address: string
  readonly port: number
  /** Takes no more connections and lets running requests finish; when `deadline` aborts, cuts them off. May be called again. */
  stop(deadline: AbortSignal): Promise<void>
}

/** Listens; rejects with a sentence that names the address where that is not possible. */
export async function listen(server: Server, protocol: string, endpoint: Endpoint): Promise<AddressInfo> {
  try {
    // As the Collector does with a name such as localhost: one address, IPv4 if there is one.
    const { address } = await lookup(endpoint.host, { order: 'ipv4first' })
    server.listen({ host: address, port: endpoint.port })
    await once(server, 'listening')
  } catch (cause) {
    const { code = 'error' } = cause as NodeJS.ErrnoException
    const hint = code === 'EADDRINUSE' ? 'the port is taken' : 'choose another endpoint'
    throw new Error(
      `OTLP/${protocol} cannot listen on ${endpoint.host}:${endpoint.port}: ${hint} (${code})`,
      { cause },
    )
  }
  return server.address() as AddressInfo
}

export function addressText({ address, family, port }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`
}

/** Waits for `closed`; calls `force` when `deadline` aborts before. */
export async function closedBy(
  deadline: AbortSignal,
  closed: Promise<void>,
  force: () => void,
): Promise<void> {
  if (deadline.aborted) force()
  deadline.addEventListener('abort', force, { once: true })
  await closed
  deadline.removeEventListener('abort', force)
}
