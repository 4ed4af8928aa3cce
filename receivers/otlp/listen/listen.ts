import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'
import type { Endpoint } from '../../../src/config/fields.ts'
import type { ListenAt } from './endpoint.ts'
import { listenOnSocket, SocketTaken } from './unix-socket.ts'

/** A protocol that is being served. */
export interface Listener {
  /** `127.0.0.1:4317`, with the real port where 0 was asked for; `unix:///path` of a socket. */
  readonly address: string
  /** 0 of a socket. */
  readonly port: number
  /** Takes no more connections and lets running requests finish; when `deadline` aborts, cuts them off. May be called again. */
  stop(deadline: AbortSignal): Promise<void>
}

/** Listens; rejects with a sentence that names the address where that is not possible. */
export async function listen(
  server: Server,
  protocol: string,
  at: ListenAt,
): Promise<Pick<Listener, 'address' | 'port'>> {
  try {
    if ('path' in at) await listenOnSocket(server, at.path)
    else await listenOnPort(server, at)
  } catch (cause) {
    throw new Error(`OTLP/${protocol} cannot listen on ${textOf(at)}: ${whyNot(cause)}`, { cause })
  }
  if ('path' in at) return { address: textOf(at), port: 0 }
  const { address, family, port } = server.address() as AddressInfo
  return { address: family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`, port }
}

async function listenOnPort(server: Server, { host, port }: Endpoint): Promise<void> {
  // As the Collector does with a name such as localhost: one address, IPv4 if there is one.
  const { address } = await lookup(host, { order: 'ipv4first' })
  server.listen({ host: address, port })
  await once(server, 'listening')
}

function textOf(at: ListenAt): string {
  return 'path' in at ? `unix://${at.path}` : `${at.host}:${at.port}`
}

function whyNot(cause: unknown): string {
  if (cause instanceof SocketTaken) return cause.message
  const { code = 'error' } = cause as NodeJS.ErrnoException
  return `${code === 'EADDRINUSE' ? 'the port is taken' : 'choose another endpoint'} (${code})`
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
