/** Where nodes are named when the config names none, separated by commas, as for the Collector. */
const VARIABLE = 'ELASTICSEARCH_URL'

/** The settings that name nodes. */
export interface AddressSettings {
  readonly endpoint?: string | undefined
  readonly endpoints?: readonly string[] | undefined
  readonly cloudid?: string | undefined
}

/** The nodes to begin with, credentials included. */
export function addressesOf({ endpoint, endpoints, cloudid }: AddressSettings): URL[] {
  const cloud = cloudid === undefined ? undefined : cloudUrl(cloudid)
  const named = endpoint ?? cloud
  return (named === undefined ? (endpoints ?? environmentUrls()) : [named]).map((text) => new URL(text))
}

/** The URLs of the environment; none when it names none. */
export function environmentUrls(): string[] {
  const texts = (process.env[VARIABLE] ?? '').split(',').map((text) => text.trim())
  return texts.filter((text) => text !== '')
}

export function isHttpUrl(text: string): boolean {
  return ['http:', 'https:'].includes(URL.parse(text)?.protocol ?? '')
}

/** The URL in a cloud id, `name:base64(host$elasticsearch$kibana)`; undefined when it is none. */
export function cloudUrl(id: string): string | undefined {
  const encoded = id.slice(id.indexOf(':') + 1)
  if (!id.includes(':') || !/^[A-Za-z0-9+/]+=*$/.test(encoded)) return undefined
  const [host, elasticsearch = ''] = Buffer.from(encoded, 'base64').toString().split('$')
  const [domain, domainPort] = host.split(':')
  const [name, port = domainPort] = elasticsearch.split(':')
  if (domain === '' || name === '') return undefined
  const url = `https://${name}.${domain}${port === undefined ? '' : `:${port}`}`
  return URL.canParse(url) ? url : undefined
}
