import type { Destination, Headers } from '../transport/destination.ts'
import type { LoggerOptions } from './options.ts'
import { parsePairs } from './pairs.ts'
import type { Source } from './source.ts'

const GRPC_PORT = '4317'
const DEFAULT_URL = { grpc: 'http://localhost:4317', 'http/protobuf': 'http://localhost:4318/v1/logs' }

type Protocol = Destination['protocol']

/** The variables of a setting: the one for logs counts more than the one for all signals. */
const variables = (name: string): string[] => [
  `OTEL_EXPORTER_OTLP_LOGS_${name}`,
  `OTEL_EXPORTER_OTLP_${name}`,
]

/** OpenTelemetry Protocol Exporter specification, "Configuration Options". */
export function resolveDestination(options: LoggerOptions, source: Source): Destination {
  const endpoint = readEndpoint(options, source)
  const protocol = readProtocol(options, source, endpoint?.url)
  const { tls = {} } = options
  return {
    protocol,
    url: endpoint === undefined ? DEFAULT_URL[protocol] : urlFor(protocol, endpoint),
    headers: readHeaders(options, source),
    compression:
      source.choice({ name: 'compression', value: options.compression }, variables('COMPRESSION'), [
        'none',
        'gzip',
      ]) ?? 'none',
    timeoutMillis: source.number(
      { name: 'timeoutMillis', value: options.timeoutMillis },
      variables('TIMEOUT'),
      { least: 1 },
      10_000,
    ),
    tls: {
      certificate: source.text({ name: 'tls.certificate', value: tls.certificate }, variables('CERTIFICATE')),
      clientKey: source.text({ name: 'tls.clientKey', value: tls.clientKey }, variables('CLIENT_KEY')),
      clientCertificate: source.text(
        { name: 'tls.clientCertificate', value: tls.clientCertificate },
        variables('CLIENT_CERTIFICATE'),
      ),
    },
  }
}

interface Endpoint {
  readonly url: URL
  /** Whether the URL is the whole one: that for logs is used as it is, the other one is a base. */
  readonly isWhole: boolean
}

function readEndpoint(options: LoggerOptions, source: Source): Endpoint | undefined {
  const [own, logs, all] = [
    ['option endpoint', options.endpoint] as const,
    ...variables('ENDPOINT').map((name) => [name, source.variable(name)] as const),
  ]
  for (const [name, text] of [own, logs, all]) {
    if (text === undefined) continue
    const url = parseEndpoint(text, source)
    if (url !== undefined) return { url, isWhole: name === logs[0] }
    source.reject(name, 'is not a URL with http or https: leaving it out')
  }
  return undefined
}

/** Without a scheme, as gRPC allows it, `OTEL_EXPORTER_OTLP_INSECURE` says whether there is TLS. */
function parseEndpoint(text: unknown, source: Source): URL | undefined {
  if (typeof text !== 'string') return undefined
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
  const insecure = source.flag({ name: 'insecure', value: undefined }, variables('INSECURE'), false)
  try {
    const url = new URL(hasScheme ? text : `${insecure ? 'http' : 'https'}://${text}`)
    return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined
  } catch {
    return undefined
  }
}

function readProtocol(options: LoggerOptions, source: Source, url: URL | undefined): Protocol {
  const chosen = source.choice({ name: 'protocol', value: options.protocol }, variables('PROTOCOL'), [
    'grpc',
    'http/protobuf',
  ])
  return chosen ?? (url?.port === GRPC_PORT ? 'grpc' : 'http/protobuf')
}

function urlFor(protocol: Protocol, { url, isWhole }: Endpoint): string {
  if (protocol === 'grpc') return `${url.protocol}//${url.host}`
  if (isWhole) return url.href
  const base = new URL(url)
  base.pathname = `${url.pathname.replace(/\/$/, '')}/v1/logs`
  return base.href
}

/** Those of the code over those of the environment. */
function readHeaders(options: LoggerOptions, source: Source): Destination['headers'] {
  const variable = source.first(variables('HEADERS'))
  const environment = variable === undefined ? {} : parsePairs(variable[1])
  if (environment === undefined)
    source.reject(variable?.[0] ?? '', 'is not key=value,key=value: leaving it out')
  const { headers } = options
  if (typeof headers === 'function') return headers
  const isRecord = headers === undefined || (typeof headers === 'object' && headers !== null)
  if (!isRecord) source.reject('option headers', 'is neither an object nor a function: leaving it out')
  return lowerCased({ ...environment, ...(isRecord ? headers : {}) }, source)
}

/** Names as gRPC and HTTP/2 want them. */
function lowerCased(headers: Readonly<Record<string, unknown>>, source: Source): Headers {
  const texts: [string, string][] = []
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string' && !/[\r\n\0]/.test(value)) texts.push([name.toLowerCase(), value])
    else source.reject(`header ${name}`, 'is not a text of one line: leaving it out')
  }
  return Object.fromEntries(texts)
}
