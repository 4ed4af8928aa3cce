import { type Dispatcher, FormData, fetch, type Response } from 'undici'
import { importProblem, refusal } from './import-answer.ts'
import { type SavedObject, toNdjson } from './saved-object.ts'

/** An encoded API key, or a user; nobody when Kibana asks for none. */
export type KibanaAuth =
  | { readonly apiKey: string }
  | { readonly user: string; readonly password: string }
  | undefined

export interface InstallOptions {
  /** Of Kibana, its `server.basePath` included. */
  readonly url: string
  /** The default space when absent. */
  readonly space?: string | undefined
  readonly auth?: KibanaAuth
  readonly objects: readonly SavedObject[]
  /** Whether to replace objects that are there already. Without it, finding one is an error. */
  readonly overwrite: boolean
  /** Sends nothing, and says what would be asked for. */
  readonly dryRun?: boolean
  /** Carries the request, for TLS settings and proxies. */
  readonly dispatcher?: Dispatcher
}

/** What became of one object. */
export interface InstalledObject {
  readonly type: string
  readonly id: string
  readonly title: string
  readonly outcome: 'created' | 'replaced' | 'planned'
}

export interface InstallResult {
  /** The request, without credentials. */
  readonly request: string
  readonly objects: readonly InstalledObject[]
}

const TIMEOUT_MS = 60_000

/**
 * Imports saved objects into a space of Kibana. Doing it again changes nothing but what somebody else changed. Throws
 * with what, where and what to do when Kibana refuses, or takes only some of them; never with a secret.
 */
export async function installKibana(options: InstallOptions, signal: AbortSignal): Promise<InstallResult> {
  const { objects, dryRun = false } = options
  const endpoint = importEndpoint(options)
  const request = `POST ${endpoint.origin}${endpoint.pathname}${endpoint.search}`
  if (dryRun) return { request, objects: objects.map((object) => described(object, 'planned')) }

  const response = await post(endpoint, options, signal)
  const where = { host: endpoint.host, space: options.space }
  const answer = await readJson(response)
  if (response.status !== 200) throw new Error(refusal(response.status, answer, where))
  const problem = importProblem(answer, objects.length, where)
  if (problem !== undefined) throw new Error(problem)
  const replaced = new Set(
    answer?.successResults?.filter(({ overwrite }) => overwrite).map(({ type, id }) => `${type}/${id}`),
  )
  return {
    request,
    objects: objects.map((object) =>
      described(object, replaced.has(`${object.type}/${object.id}`) ? 'replaced' : 'created'),
    ),
  }
}

/** The parts of Kibana's answers that are of use; everything may be missing in what others answer. */
export interface ImportAnswer {
  readonly success?: boolean
  readonly successCount?: number
  readonly successResults?: readonly {
    readonly type: string
    readonly id: string
    readonly overwrite?: boolean
  }[]
  readonly errors?: readonly ImportError[]
  readonly message?: string
}

export interface ImportError {
  readonly type: string
  readonly id: string
  readonly title?: string
  readonly meta?: { readonly title?: string }
  readonly error: {
    readonly type: string
    readonly message?: string
    readonly references?: readonly { readonly type: string; readonly id: string }[]
  }
}

function importEndpoint({ url, space, overwrite }: InstallOptions): URL {
  const endpoint = URL.parse(url)
  if (endpoint === null || !['http:', 'https:'].includes(endpoint.protocol)) {
    // Without the text itself, which may hold a password.
    throw new Error('the URL of Kibana is not one: expected one such as http://localhost:5601')
  }
  if (space !== undefined && !/^[a-z0-9_-]+$/.test(space)) {
    throw new Error(
      `${JSON.stringify(space)} is no id of a space: expected lower case letters, digits, - and _, as in the address of its pages`,
    )
  }
  const inSpace = space === undefined || space === 'default' ? '' : `/s/${space}`
  endpoint.pathname = `${endpoint.pathname.replace(/\/+$/, '')}${inSpace}/api/saved_objects/_import`
  endpoint.search = overwrite ? '?overwrite=true' : ''
  endpoint.hash = ''
  return endpoint
}

async function post(endpoint: URL, options: InstallOptions, signal: AbortSignal): Promise<Response> {
  const { objects, auth, dispatcher } = options
  const form = new FormData()
  // Kibana goes by the end of the name.
  form.append('file', new Blob([toNdjson(objects)], { type: 'application/x-ndjson' }), 'sluice.ndjson')
  const authorization = authorizationOf(auth, endpoint)
  const target = new URL(endpoint)
  target.username = ''
  target.password = ''
  try {
    return await fetch(target, {
      method: 'POST',
      body: form,
      headers: { 'kbn-xsrf': 'sluice', accept: 'application/json', ...(authorization && { authorization }) },
      // A login page is no answer, and credentials are for nobody else.
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      ...(dispatcher && { dispatcher }),
    })
  } catch (cause) {
    signal.throwIfAborted()
    throw new Error(`${endpoint.host} did not answer: ${reasonOf(cause)}`, { cause })
  }
}

/** A key goes before a user, a user before what the URL holds. */
function authorizationOf(auth: KibanaAuth, { username, password }: URL): string | undefined {
  if (auth !== undefined && 'apiKey' in auth) return `ApiKey ${auth.apiKey}`
  const user = auth?.user ?? decodeURIComponent(username)
  if (user === '') return undefined
  return `Basic ${Buffer.from(`${user}:${auth?.password ?? decodeURIComponent(password)}`).toString('base64')}`
}

async function readJson(response: Response): Promise<ImportAnswer | undefined> {
  try {
    const answer = (await response.json()) as unknown
    return typeof answer === 'object' && answer !== null ? answer : undefined
  } catch {
    return undefined
  }
}

/** `fetch` says why only in the cause of its error. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no answer within ${TIMEOUT_MS / 1000} s`
  return error.cause instanceof Error ? error.cause.message || error.cause.name : error.message
}

function described(
  { type, id, attributes }: SavedObject,
  outcome: InstalledObject['outcome'],
): InstalledObject {
  return { type, id, title: attributes.title, outcome }
}
