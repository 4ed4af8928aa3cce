import { readFileSync } from 'node:fs'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { atExit, temporaryFolder } from './at-exit.ts'
import type { Certificates } from './certificates.ts'
import {
  type Distribution,
  type ElasticsearchFlavor,
  elasticsearchDistribution,
} from './elasticsearch-distribution.ts'
import { type ServerPaths, serverCommand, setPassword, writeJvmOptions } from './elasticsearch-launch.ts'
import { freePort } from './ports.ts'
import { Child, run } from './process.ts'
import { reachableByAll, type User, unprivilegedUser } from './users.ts'

const BOOT_TIMEOUT = 180_000
const STOP_GRACE = 30_000
const STARTED = /\[o\.[eo]\.n\.Node +\].*\] started\b/

export interface ElasticsearchOptions {
  /** Heap of the server, as Java writes sizes; `1g` when absent. */
  readonly heap?: string
  /** Lines of the settings file. They win over ours. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>
  /** The newest minimal server that the Java of this machine runs when absent. */
  readonly flavor?: ElasticsearchFlavor
  /** Switches security on, with this password of the user `elastic`. Not for OpenSearch. */
  readonly password?: string
  /** Speaks https, to clients with a certificate only. Goes with `password`. */
  readonly certificates?: Certificates
}

/** A real Elasticsearch or OpenSearch of one node on 127.0.0.1, empty and, without a password, open to all. */
export interface ElasticsearchServer extends AsyncDisposable {
  readonly url: string
  readonly version: string
  /** Ends the server in order, and starts it again with its data, at the same URL. */
  restart(): Promise<void>
  /** Ends the server and removes its data. May be called twice. */
  stop(): Promise<void>
}

/** Takes 20 to 40 seconds, and once per machine a download of 130 MB. Share the server where you can. */
export async function startElasticsearch(options: ElasticsearchOptions = {}): Promise<ElasticsearchServer> {
  const distribution = await elasticsearchDistribution(options.flavor)
  const { home, version } = distribution
  const user = unprivilegedUser()
  if (user && !reachableByAll(join(home, 'lib'))) {
    throw new Error(
      `Elasticsearch does not run as root and others may not read ${home}: set SLUICE_TEST_CACHE to a folder open to all`,
    )
  }
  const [httpPort, transportPort] = await Promise.all([freePort(), freePort()])
  const folder = await temporaryFolder('elasticsearch')
  const paths = {
    config: join(folder.path, 'config'),
    data: join(folder.path, 'data'),
    logs: join(folder.path, 'logs'),
    tmp: join(folder.path, 'tmp'),
    pid: join(folder.path, 'pid'),
  }
  await prepare(distribution, paths, options, { httpPort, transportPort })
  if (user) await run('chown', ['-R', `${user.uid}:${user.gid}`, folder.path])
  if (options.password !== undefined) await setPassword(distribution, paths, options.password, user)

  const url = `${options.certificates ? 'https' : 'http'}://127.0.0.1:${httpPort}`
  let running = await launch(distribution, paths, user).catch(async (error: unknown) => {
    await folder.remove()
    throw error
  })
  const stop = async () => {
    await running.stop()
    await folder.remove()
  }
  const ready = async () => {
    try {
      await waitForYellow(url, options)
    } catch (error) {
      await stop()
      throw error
    }
  }
  await ready()
  return {
    url,
    version,
    async restart() {
      await running.stop()
      running = await launch(distribution, paths, user)
      await ready()
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

async function prepare(
  distribution: Distribution,
  paths: ServerPaths,
  { heap = '1g', password, certificates, settings }: ElasticsearchOptions,
  { httpPort, transportPort }: { readonly httpPort: number; readonly transportPort: number },
): Promise<void> {
  const { flavor, home } = distribution
  const isOpenSearch = flavor === 'opensearch'
  await cp(join(home, 'config'), paths.config, { recursive: true })
  for (const path of [paths.data, paths.logs, paths.tmp]) await mkdir(path)
  const all = {
    'cluster.name': 'sluice-test',
    'node.name': 'n1',
    'path.data': paths.data,
    'path.logs': paths.logs,
    'network.host': '127.0.0.1',
    'http.port': httpPort,
    [flavor === '6' ? 'transport.tcp.port' : 'transport.port']: transportPort,
    'discovery.type': 'single-node',
    'cluster.routing.allocation.disk.threshold_enabled': false,
    'action.destructive_requires_name': false,
    ...(!isOpenSearch && { 'xpack.security.enabled': password !== undefined }),
    ...(password !== undefined && {
      'xpack.security.autoconfiguration.enabled': false,
      'xpack.security.http.ssl.enabled': false,
      'xpack.security.transport.ssl.enabled': false,
    }),
    ...(certificates && (await withTls(certificates, paths.config))),
    // Its machine learning is a program of its own, for one kind of machine.
    ...(flavor === '6' && { 'xpack.ml.enabled': false }),
    ...settings,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`)
  await writeFile(join(paths.config, isOpenSearch ? 'opensearch.yml' : 'elasticsearch.yml'), lines.join(''))
  await writeJvmOptions(distribution, paths, heap)
}

/** Resolves when the server says that it has started; `stop` ends it in order where that works. */
async function launch(
  distribution: Distribution,
  paths: ServerPaths,
  user: User | undefined,
): Promise<{ stop(): Promise<void> }> {
  const { program, args, env } = serverCommand(distribution, paths)
  const launcher = new Child(program, args, { cwd: distribution.home, env, ...user })
  // The launcher is our child and the server is the launcher's.
  const forget = atExit(() => signalServer(paths.pid, 'SIGKILL'))
  const stop = async () => {
    const inOrder = await launcher.stop(STOP_GRACE, () => {
      if (!signalServer(paths.pid, 'SIGTERM')) launcher.signal('SIGTERM')
    })
    if (!inOrder) signalServer(paths.pid, 'SIGKILL')
    forget()
  }
  try {
    await launcher.line(STARTED, BOOT_TIMEOUT)
  } catch (error) {
    await stop()
    throw error
  }
  return { stop }
}

/** False when there is no server: it writes the file early in its start, and removes it when it ends in order. */
function signalServer(pidFile: string, name: NodeJS.Signals): boolean {
  try {
    return process.kill(Number(readFileSync(pidFile, 'utf8')), name)
  } catch {
    return false
  }
}

/** Settings for https; the server reads nothing outside of its folder. */
async function withTls(
  { ca, server }: Certificates,
  folder: string,
): Promise<Record<string, string | boolean>> {
  const names = { 'ca.crt': ca, 'http.crt': server.cert, 'http.key': server.key }
  for (const [name, path] of Object.entries(names)) await cp(path, join(folder, name))
  return {
    'xpack.security.http.ssl.enabled': true,
    'xpack.security.http.ssl.certificate': 'http.crt',
    'xpack.security.http.ssl.key': 'http.key',
    'xpack.security.http.ssl.certificate_authorities': 'ca.crt',
    'xpack.security.http.ssl.client_authentication': 'required',
  }
}

async function waitForYellow(url: string, { password, certificates }: ElasticsearchOptions): Promise<void> {
  const authorization = `Basic ${Buffer.from(`elastic:${password}`).toString('base64')}`
  const dispatcher = new Agent({
    connect: { timeout: BOOT_TIMEOUT, ...(certificates && (await clientTls(certificates))) },
  })
  const deadline = Date.now() + BOOT_TIMEOUT
  try {
    for (;;) {
      const { statusCode, body } = await request(
        `${url}/_cluster/health?wait_for_status=yellow&timeout=60s`,
        { dispatcher, ...(password !== undefined && { headers: { authorization } }) },
      )
      const text = await body.text()
      if (statusCode === 200) return
      // Until its state is recovered, the server knows no user.
      const mayCome = password !== undefined && statusCode === 401 && Date.now() < deadline
      if (!mayCome) throw new Error(`${url} is not healthy: ${statusCode} ${text}`)
      await setTimeout(200)
    }
  } finally {
    await dispatcher.close()
  }
}

/** What a client of a server with these certificates needs. */
export async function clientTls({
  ca,
  client,
}: Certificates): Promise<{ ca: string; cert: string; key: string }> {
  const [authority, cert, key] = await Promise.all(
    [ca, client.cert, client.key].map((path) => readFile(path, 'utf8')),
  )
  return { ca: authority, cert, key }
}
