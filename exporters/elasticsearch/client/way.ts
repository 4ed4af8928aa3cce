import { buildConnector, Pool } from 'undici'
import { type ClientTls, readClientTls } from '../../../src/config/tls.ts'
import { proxyFor } from './proxy.ts'
import { openTunnel, proxyAuthorization } from './tunnel.ts'

/** How nodes are reached. */
export interface WaySettings {
  readonly tls: (ClientTls & { readonly reload_interval?: number | undefined }) | undefined
  readonly proxy_url: string | undefined
}

/** The connections to one node. */
export interface Way {
  readonly pool: Pool
  /** Goes before the path of a request. */
  readonly prefix: string
  readonly headers: Readonly<Record<string, string>>
}

const CONNECTIONS = 8
const CONNECT_TIMEOUT_MS = 10_000
const PLAIN_TLS: ClientTls = { insecure_skip_verify: false, min_version: '1.2' }

/** Opens no connection yet. Requests have no timeouts but the caller's. */
export function openWay(node: URL, { tls = PLAIN_TLS, proxy_url }: WaySettings): Way {
  const proxy = proxyFor(node, proxy_url)
  const path = node.pathname.replace(/\/$/, '')
  const options = {
    connections: CONNECTIONS,
    headersTimeout: 0,
    bodyTimeout: 0,
    // Connections made anew show what the files hold by then.
    ...(tls.reload_interval !== undefined && { clientTtl: tls.reload_interval }),
  }
  if (proxy === undefined || node.protocol === 'https:') {
    const connect = connector(tls, proxy)
    return { pool: new Pool(node.origin, { ...options, connect }), prefix: path, headers: {} }
  }
  // A proxy that may not tunnel to odd ports still forwards what it can read (RFC 9112 section 3.2.2).
  const connect = connector({ ...tls, server_name_override: undefined }, undefined)
  return {
    pool: new Pool(proxy.origin, { ...options, connect }),
    prefix: node.origin + path,
    headers: { host: node.host, ...proxyAuthorization(proxy) },
  }
}

/** Certificates and keys are read for every connection, so that they may be exchanged while Sluice runs. */
function connector(tls: ClientTls, tunnel: URL | undefined): buildConnector.connector {
  const plain = buildConnector({ timeout: CONNECT_TIMEOUT_MS })
  return (options, callback) => {
    if (options.protocol !== 'https:') {
      plain(options, callback)
      return
    }
    void connectSecurely(tls, tunnel, options, callback)
  }
}

async function connectSecurely(
  tls: ClientTls,
  tunnel: URL | undefined,
  options: buildConnector.Options,
  callback: buildConnector.Callback,
): Promise<void> {
  let ready: Awaited<ReturnType<typeof secure>>
  try {
    ready = await secure(tls, tunnel, options)
  } catch (error) {
    callback(error instanceof Error ? error : new Error(String(error)), null)
    return
  }
  const [connect, secured] = ready
  connect(secured, callback)
}

async function secure(
  tls: ClientTls,
  tunnel: URL | undefined,
  options: buildConnector.Options,
): Promise<[buildConnector.connector, buildConnector.Options]> {
  const read = await readClientTls(tls)
  const secured = read.servername === undefined ? options : { ...options, servername: read.servername }
  const connect = buildConnector({ ...read, timeout: CONNECT_TIMEOUT_MS })
  if (tunnel === undefined) return [connect, secured]
  const { host, hostname, port } = options
  const target = port === '' ? `${hostname}:443` : (host ?? `${hostname}:${port}`)
  const httpSocket = await openTunnel(tunnel, target, read, CONNECT_TIMEOUT_MS)
  return [connect, { ...secured, httpSocket }]
}
