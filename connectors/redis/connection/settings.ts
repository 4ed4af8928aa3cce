import { z } from 'zod'
import { duration, secret } from '../../../src/config/fields.ts'
import { ClientTls, checkTls } from '../../../src/config/tls.ts'
import type { Node } from './locator.ts'

const DEFAULT_URL = 'redis://127.0.0.1:6379'
const SCHEME = /^(?:rediss?|unix|redis\+unix):$/
const NODE = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/

const credentials = {
  username: z.string().min(1).optional().describe('User to log in as (ACL).'),
  password: secret().min(1).optional().describe('Password to log in with.'),
  password_file: z
    .string()
    .min(1)
    .optional()
    .describe('File that holds the password instead; read again for every connection.'),
}

/** Settings of the connection. `checkConnection` says which of them go together. */
export const connectionShape = {
  url: secret()
    .refine((text) => SCHEME.test(URL.parse(text)?.protocol ?? ''), {
      error: 'expected redis://host:port, rediss:// for TLS, or unix:///path/to/socket',
    })
    .default(DEFAULT_URL)
    .describe(
      'The server, Redis 7 or Valkey 7.2 and later: redis://user:password@host:port/database, rediss:// with TLS, unix:///path/to/socket?db=0.',
    ),
  sentinel: z
    .strictObject({
      master: z.string().min(1).default('mymaster').describe('Name that the sentinels know the primary by.'),
      nodes: nodes(26_379).describe('The sentinels, as host:port; 26379 where no port is given.'),
      ...credentials,
    })
    .optional()
    .describe('Asks these sentinels where the primary is, instead of url.'),
  cluster: z
    .strictObject({
      nodes: nodes(6379).describe('Some nodes of the cluster, as host:port; they tell of the others.'),
    })
    .optional()
    .describe('Connects to the node of this cluster that holds the stream, instead of url.'),
  ...credentials,
  database: z
    .int()
    .min(0)
    .optional()
    .describe('Number of the database, where url does not say; a cluster has none but 0.'),
  tls: ClientTls.optional().describe(
    'TLS, for rediss://; with sentinel or cluster its presence turns TLS on, to sentinels as well.',
  ),
  durability: z
    .enum(['server', 'always', 'wait', 'waitaof'])
    .default('server')
    .describe(
      'What a push must have reached before it is acknowledged. server: Redis, which keeps it as its own settings say. always: the disk of a Redis with appendfsync always, which is checked. wait: the memory of replicas. waitaof: the disk of the server and of replicas (Redis 7.2, Valkey).',
    ),
  durability_replicas: z
    .int()
    .min(0)
    .optional()
    .describe('How many replicas must have it: for wait 1 where nothing is said, for waitaof 0.'),
  durability_timeout: duration()
    .prefault('2s')
    .describe('How long wait and waitaof may take before a push is refused.'),
  command_timeout: duration()
    .prefault('5s')
    .describe('How long to wait for a connection, or for the answer to a command.'),
}

const Connection = z.strictObject(connectionShape)

export type ConnectionConfig = z.output<typeof Connection>
export type Credentials = Pick<ConnectionConfig, 'username' | 'password' | 'password_file'>

/** Finds settings that contradict each other. */
export function checkConnection(config: ConnectionConfig, context: z.RefinementCtx): void {
  const { sentinel, cluster, tls } = config
  const wrong = (path: readonly string[], message: string): void =>
    context.addIssue({ code: 'custom', path: [...path], message })
  const url = URL.parse(config.url)
  if (url === null) return
  const single = sentinel === undefined && cluster === undefined
  if (sentinel && cluster) wrong(['cluster'], 'cannot be set together with sentinel')
  if (!single && config.url !== DEFAULT_URL)
    wrong(['url'], `cannot be set together with ${sentinel ? 'sentinel' : 'cluster'}`)
  if (cluster && (config.database ?? 0) !== 0) wrong(['database'], 'a cluster has no database but 0')
  if (single && tls && url.protocol !== 'rediss:') wrong(['tls'], 'is for rediss://, which url is not')
  if (config.username !== undefined && url.username !== '')
    wrong(['username'], 'is in url as well: set it once')
  if ((config.password ?? config.password_file) !== undefined && url.password !== '')
    wrong([config.password === undefined ? 'password_file' : 'password'], 'is in url as well: set it once')
  if (config.database !== undefined && databaseIn(url) !== undefined)
    wrong(['database'], 'is in url as well: set it once')
  if (databaseIn(url) !== undefined && !/^\d+$/.test(databaseIn(url) ?? ''))
    wrong(['url'], 'expected the number of a database after the host')
  for (const [path, { password, password_file }] of [
    [['password_file'], config],
    [['sentinel', 'password_file'], sentinel ?? {}],
  ] as const)
    if (password !== undefined && password_file !== undefined)
      wrong(path, 'cannot be set together with password')
  if (tls) checkTls(tls, (key, message) => wrong(['tls', key], message))
  checkDurability(config, wrong)
}

function checkDurability(
  { durability, durability_replicas, durability_timeout, command_timeout }: ConnectionConfig,
  wrong: (path: readonly string[], message: string) => void,
): void {
  const waits = durability === 'wait' || durability === 'waitaof'
  if (!waits && durability_replicas !== undefined)
    wrong(['durability_replicas'], 'is for durability wait and waitaof')
  if (durability === 'wait' && durability_replicas === 0)
    wrong(['durability_replicas'], 'must be 1 or more for durability wait')
  if (waits && durability_timeout * 2 > command_timeout)
    wrong(['durability_timeout'], 'must be at most half of command_timeout: pushes wait behind each other')
}

/** The database that a url names, as text. */
export function databaseIn({ protocol, pathname, searchParams }: URL): string | undefined {
  if (!protocol.startsWith('redis') || protocol === 'redis+unix:') return searchParams.get('db') ?? undefined
  return pathname.length > 1 ? pathname.slice(1) : undefined
}

function nodes(defaultPort: number) {
  const error = 'expected host:port such as 10.0.0.3:6379'
  const node = z
    .string({ error })
    .regex(NODE, { error, abort: true })
    .transform((text, context): Node => {
      const [, host, digits = defaultPort] = NODE.exec(text) ?? []
      const port = Number(digits)
      if (port < 1 || port > 65_535) {
        const message = 'expected a port from 1 to 65535'
        context.issues.push({ code: 'custom', message, input: text })
      }
      return { host: host.replace(/^\[|\]$/g, ''), port }
    })
  return z.array(node).min(1)
}
