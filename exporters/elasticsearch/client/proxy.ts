import { BlockList, isIP } from 'node:net'

/**
 * The proxy on the way to a URL: the one of the config, or else of the environment (HTTPS_PROXY, HTTP_PROXY,
 * NO_PROXY, by the rules of Go's programs). Undefined when there is none.
 */
export function proxyFor(target: URL, configured?: string): URL | undefined {
  if (configured !== undefined) return new URL(configured)
  const text = environment(target.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY')
  if (text === '' || isSpared(target)) return undefined
  const proxy = URL.parse(text.includes('://') ? text : `http://${text}`)
  return proxy !== null && ['http:', 'https:'].includes(proxy.protocol) ? proxy : undefined
}

function environment(name: string): string {
  return process.env[name] || process.env[name.toLowerCase()] || ''
}

/** Whether the environment says to go there directly: this machine always, and what NO_PROXY names. */
function isSpared(target: URL): boolean {
  const host = target.hostname.replace(/^\[|\]$/g, '').toLowerCase()
  if (host === 'localhost' || contains('127.0.0.0/8', host) || host === '::1') return true
  const port = target.port || (target.protocol === 'https:' ? '443' : '80')
  return environment('NO_PROXY')
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== '' && spares(entry, host, port))
}

/** `*`, an address, a range, a name with its subdomains, or `.name` for these alone; a port may follow. */
function spares(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true
  if (entry.includes('/')) return contains(entry, host)
  const [, name, wanted] = /^(\[[^\]]*\]|[^:]*|[0-9a-f:]*:[0-9a-f:]*)(?::(\d+))?$/.exec(entry) ?? []
  if (name === undefined || (wanted !== undefined && wanted !== port)) return false
  const bare = name.replace(/^\[|\]$/g, '').replace(/^\*\./, '.')
  if (bare.startsWith('.')) return host.endsWith(bare)
  return host === bare || (isIP(host) === 0 && host.endsWith(`.${bare}`))
}

function contains(range: string, host: string): boolean {
  const [network, prefix] = range.split('/')
  const version = isIP(network)
  if (version === 0 || version !== isIP(host) || !/^\d{1,3}$/.test(prefix)) return false
  const family = version === 4 ? 'ipv4' : 'ipv6'
  const length = Number(prefix)
  if (length > (version === 4 ? 32 : 128)) return false
  const list = new BlockList()
  list.addSubnet(network, length, family)
  return list.check(host, family)
}
