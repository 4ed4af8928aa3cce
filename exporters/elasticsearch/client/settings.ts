import { z } from 'zod'
import { duration, secret } from '../../../src/config/fields.ts'
import { ClientTls, checkTls } from '../../../src/config/tls.ts'
import { cloudUrl, environmentUrls, isHttpUrl } from './addresses.ts'

/** RFC 9110 section 5. */
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/
const HEADER_VALUE = /^[^\p{Cc}]*$/u
const ADDRESSES = ['endpoint', 'endpoints', 'cloudid'] as const

const url = z.string().refine(isHttpUrl, 'expected a URL such as http://localhost:9200')
const file = z.string().min(1).optional()

const Discover = z.strictObject({
  on_start: z.boolean().default(false).describe('Asks once at the start.'),
  interval: duration().prefault('0s').describe('Asks again this often; 0s asks no more.'),
})

const Tls = ClientTls.extend({
  reload_interval: duration()
    .refine((interval) => interval >= 1000, 'expected 1s or more')
    .optional()
    .describe(
      'New connections read all files anew. With this, connections older than it are replaced by new ones.',
    ),
})

/** How servers are reached, with the Collector's names. `checkConnection` says which settings go together. */
export const connectionShape = {
  endpoint: url
    .optional()
    .describe(
      'URL of the one node. Query parameters are added to every bulk request. Without endpoint, endpoints and cloudid, the environment variable ELASTICSEARCH_URL names the nodes, separated by commas.',
    ),
  endpoints: z
    .array(url)
    .min(1)
    .optional()
    .describe('URLs of several nodes, used in turn; those of the first decide query parameters.'),
  cloudid: z
    .string()
    .refine((id) => cloudUrl(id) !== undefined, 'expected a cloud id such as name:ZXhhbXBsZS5jb20kYWJj')
    .optional()
    .describe('Names a deployment of Elastic Cloud instead.'),
  discover: Discover.prefault({}).describe(
    'Asks the cluster for its nodes, and uses them instead of the endpoints: data and ingest nodes, not dedicated masters. Not behind a load balancer.',
  ),
  user: z.string().min(1).optional().describe('User name for basic authentication.'),
  password: secret().optional().describe('Password for basic authentication.'),
  password_file: file.describe('File that holds the password instead; read again when it is refused.'),
  api_key: secret()
    .optional()
    .describe('API key, encoded or as id:key; used instead of a token, and that instead of a user.'),
  api_key_file: file.describe('File that holds the API key instead; read again when it is refused.'),
  bearer_token: secret().optional().describe('Token sent as `Authorization: Bearer`.'),
  bearer_token_file: file.describe('File that holds the token instead; read again when it is refused.'),
  headers: z
    .record(
      z.string().regex(HEADER_NAME, 'is no name of a header'),
      secret().regex(HEADER_VALUE, 'is no value of a header'),
    )
    .default({})
    .describe('Headers sent with every request.'),
  tls: Tls.optional().describe('TLS, for https://.'),
  proxy_url: z
    .string()
    .refine(isHttpUrl, 'expected the URL of an HTTP proxy such as http://proxy:3128')
    .optional()
    .describe(
      'Proxy for all requests, user and password in the URL. Without it, the environment variables HTTPS_PROXY, HTTP_PROXY and NO_PROXY decide.',
    ),
  compression: z
    .enum(['none', 'gzip'])
    .default('none')
    .describe('"gzip" saves network for CPU: about as much again as all the rest of the drain.'),
  compression_params: z
    .strictObject({
      level: z.int().min(1).max(9).default(1).describe('From 1, the fastest, to 9.'),
    })
    .prefault({})
    .describe('How "gzip" compresses.'),
}

const Connection = z.strictObject(connectionShape)
export type ConnectionConfig = z.output<typeof Connection>

/** Finds settings that contradict each other. */
export function checkConnection(config: ConnectionConfig, context: z.RefinementCtx): void {
  const wrong = (path: readonly string[], message: string): void =>
    context.addIssue({ code: 'custom', path: [...path], message })
  const [named, also] = ADDRESSES.filter((name) => config[name] !== undefined)
  if (also !== undefined) wrong([also], `cannot be set together with ${named}`)
  const urls = named === undefined ? environmentUrls() : []
  if (named === undefined && urls.length === 0)
    wrong(
      ['endpoint'],
      'expected endpoint, endpoints or cloudid, or the environment variable ELASTICSEARCH_URL',
    )
  if (!urls.every(isHttpUrl))
    wrong(
      ['endpoint'],
      'the environment variable ELASTICSEARCH_URL: expected URLs such as http://localhost:9200',
    )
  for (const name of ['password', 'api_key', 'bearer_token'] as const)
    if (config[name] !== undefined && config[`${name}_file`] !== undefined)
      wrong([`${name}_file`], `cannot be set together with ${name}`)
  const { tls, discover, cloudid } = config
  if (tls) checkTls(tls, (key, message) => wrong(['tls', key], message))
  const known = [
    ...urls,
    ...(config.endpoints ?? []),
    ...(config.endpoint === undefined ? [] : [config.endpoint]),
  ]
  if (tls && known.length > 0 && known.every((text) => URL.parse(text)?.protocol === 'http:'))
    wrong(['tls'], 'is for https://, which no endpoint is')
  if (cloudid !== undefined && (discover.on_start || discover.interval > 0))
    wrong(['discover'], 'cannot be set together with cloudid: its nodes are not to be reached one by one')
}
