import type { Logger } from 'pino'
import { RetryableError } from '../../../src/component.ts'
import { pause } from '../../../src/delivery/pause.ts'
import type { Client } from './client.ts'

const PATH = '/_nodes/http?filter_path=nodes.*.roles,nodes.*.http.publish_address'
const TIMEOUT_MS = 10_000

/**
 * Asks the cluster for its nodes, at the start and every `interval` milliseconds, and has the client use them. When no
 * node answers any more, it goes back to those of the config.
 */
export async function sniff(
  client: Client,
  { on_start, interval }: { readonly on_start: boolean; readonly interval: number },
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  if (on_start) await sniffOnce(client, log, signal)
  while (interval > 0 && !signal.aborted) {
    await pause(interval, signal)
    await sniffOnce(client, log, signal)
  }
}

async function sniffOnce(client: Client, log: Logger, signal: AbortSignal): Promise<void> {
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
    const { status, body, node } = await client.send({ method: 'GET', path: PATH }, limit)
    if (status !== 200) throw new Error(`${node} answered ${status}`)
    const urls = nodesIn(body, client.seeds[0].protocol)
    if (urls.length === 0) throw new Error(`${node} named no node that takes documents`)
    client.use(urls)
    log.debug({ nodes: urls.map(({ host }) => host) }, 'the cluster named its nodes')
  } catch (error) {
    signal.throwIfAborted()
    log.warn({ err: error }, 'the cluster could not be asked for its nodes')
    if (error instanceof RetryableError && error.reason === 'unreachable') client.use(client.seeds)
  }
}

/** The nodes that take documents, out of an answer to `_nodes/http`. Throws when it is none. */
export function nodesIn(answer: Buffer, protocol: string): URL[] {
  const { nodes } = JSON.parse(answer.toString()) as { nodes?: Record<string, NodeInfo> }
  return Object.values(nodes ?? {})
    .filter(({ roles }) => takesDocuments(roles))
    .map(({ http }) => URL.parse(`${protocol}//${addressIn(http?.publish_address ?? '')}`))
    .filter((url) => url !== null)
}

interface NodeInfo {
  readonly roles?: readonly string[]
  readonly http?: { readonly publish_address?: string }
}

/** Those with a role for it, and those without any: they are there to take requests. */
function takesDocuments(roles: readonly string[] = []): boolean {
  return roles.length === 0 || roles.some((role) => role === 'ingest' || role.startsWith('data'))
}

/** `ip:port`, or `name/ip:port` where the address is published by name: certificates are for that. */
function addressIn(published: string): string {
  const [name, address] = published.split('/')
  return address === undefined ? name : `${name}:${address.slice(address.lastIndexOf(':') + 1)}`
}
