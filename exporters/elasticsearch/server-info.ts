import type { Answered, Client } from './client/client.ts'

/** Who answers. */
export interface ServerInfo {
  readonly flavor: 'elasticsearch' | 'serverless' | 'opensearch'
  /** `9.5.3` */
  readonly version: string
}

/** The server answers, but not as Elasticsearch does. */
export class StrangerError extends Error {
  override readonly name = 'StrangerError'
}

interface Greeting {
  readonly version?: {
    readonly number?: string
    readonly distribution?: string
    readonly build_flavor?: string
  }
}

const VERSION = /^\d+\.\d+\.\d+/

/**
 * Asks for flavour and version. Undefined when the server will not tell: that takes the privilege `monitor`, which
 * delivering does not. Throws `RetryableError` when no node answers, `StrangerError` when it is no Elasticsearch.
 */
export async function askWho(client: Client, signal: AbortSignal): Promise<ServerInfo | undefined> {
  const greeting = await client.send({ method: 'GET', path: '/' }, signal)
  if (greeting.status === 200) {
    const { version, ...others } = (jsonOf(greeting) ?? { noJson: true }) as Greeting
    const number = VERSION.exec(String(version?.number))?.[0]
    // A proxy may have left all of it out.
    if (number === undefined && (isKin(greeting) || Object.keys(others).length === 0)) return undefined
    if (number === undefined) throw stranger(greeting)
    const isOpenSearch = version?.distribution === 'opensearch'
    const isServerless = version?.build_flavor === 'serverless'
    return {
      flavor: isOpenSearch ? 'opensearch' : isServerless ? 'serverless' : 'elasticsearch',
      version: number,
    }
  }
  if (isKin(greeting)) return askNode(client, signal)
  if (greeting.status < 400 || greeting.status === 404) throw stranger(greeting)
  return undefined
}

/** Cut-down servers have no greeting. */
async function askNode(client: Client, signal: AbortSignal): Promise<ServerInfo | undefined> {
  const path = '/_nodes/_local/http?filter_path=nodes.*.version'
  const answer = await client.send({ method: 'GET', path }, signal)
  if (answer.status !== 200) return undefined
  const { nodes = {} } = (jsonOf(answer) ?? {}) as { nodes?: Record<string, { version?: string }> }
  const version = VERSION.exec(String(Object.values(nodes)[0]?.version))?.[0]
  const flavor = 'x-opensearch-version' in answer.headers ? 'opensearch' : 'elasticsearch'
  return version === undefined ? undefined : { flavor, version }
}

function isKin({ headers }: Answered): boolean {
  return headers['x-elastic-product'] === 'Elasticsearch' || 'x-opensearch-version' in headers
}

function stranger({ node, status, headers }: Answered): StrangerError {
  const type = String(headers['content-type'] ?? 'nothing').slice(0, 40)
  return new StrangerError(
    `${node} does not answer as Elasticsearch or OpenSearch does, but ${status} with ${type}: is it something else, or is something before it that asks people to log in`,
  )
}

function jsonOf({ body }: Answered): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

/** Whether a version is at least `major.minor`. */
export function isSince(version: string, major: number, minor = 0): boolean {
  const [ownMajor, ownMinor] = version.split('.').map(Number)
  return ownMajor > major || (ownMajor === major && ownMinor >= minor)
}
