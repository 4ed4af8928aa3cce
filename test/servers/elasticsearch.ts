import { existsSync, readFileSync } from 'node:fs'
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { atExit, temporaryFolder } from './at-exit.ts'
import { type ElasticsearchFlavor, elasticsearchDistribution } from './elasticsearch-distribution.ts'
import { freePort } from './ports.ts'
import { Child, run } from './process.ts'
import { reachableByAll, unprivilegedUser } from './users.ts'

const BOOT_TIMEOUT = 180_000
const STOP_GRACE = 30_000
const STARTED = /\[o\.e\.n\.Node +\].*\] started\b/

export interface ElasticsearchOptions {
  /** Heap of the server, as Java writes sizes; `1g` when absent. */
  readonly heap?: string
  /** Lines of elasticsearch.yml. They win over ours. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>
  /** The newest minimal server that the Java of this machine runs when absent. */
  readonly flavor?: ElasticsearchFlavor
}

/** A real Elasticsearch of one node on 127.0.0.1, empty and without security. */
export interface ElasticsearchServer extends AsyncDisposable {
  readonly url: string
  readonly version: string
  /** Ends the server and removes its data. May be called twice. */
  stop(): Promise<void>
}

/** Takes 20 to 40 seconds, and once per machine a download of 130 MB. Share the server where you can. */
export async function startElasticsearch(options: ElasticsearchOptions = {}): Promise<ElasticsearchServer> {
  const distribution = await elasticsearchDistribution(options.flavor)
  const user = unprivilegedUser()
  if (user && !reachableByAll(join(distribution.home, 'lib'))) {
    throw new Error(
      `Elasticsearch does not run as root and others may not read ${distribution.home}: set SLUICE_TEST_CACHE to a folder open to all`,
    )
  }
  const [httpPort, transportPort] = await Promise.all([freePort(), freePort()])
  const folder = await temporaryFolder('elasticsearch')
  const { home, version, java } = distribution
  const paths = {
    config: join(folder.path, 'config'),
    data: join(folder.path, 'data'),
    logs: join(folder.path, 'logs'),
    tmp: join(folder.path, 'tmp'),
    pid: join(folder.path, 'pid'),
  }
  await cp(join(home, 'config'), paths.config, { recursive: true })
  for (const path of [paths.data, paths.logs, paths.tmp]) await mkdir(path)
  await writeSettings(paths.config, {
    'cluster.name': 'sluice-test',
    'node.name': 'n1',
    'path.data': paths.data,
    'path.logs': paths.logs,
    'network.host': '127.0.0.1',
    'http.port': httpPort,
    'transport.port': transportPort,
    'discovery.type': 'single-node',
    'cluster.routing.allocation.disk.threshold_enabled': false,
    'action.destructive_requires_name': false,
    'xpack.security.enabled': false,
    ...options.settings,
  })
  const heap = options.heap ?? '1g'
  const jvmOptions = join(paths.config, 'jvm.options.d')
  await mkdir(jvmOptions, { recursive: true })
  await writeFile(join(jvmOptions, 'heap.options'), `-Xms${heap}\n-Xmx${heap}\n`)
  if (user) await run('chown', ['-R', `${user.uid}:${user.gid}`, folder.path])

  const launcher = new Child(join(java.home, 'bin/java'), launcherArgs(home, paths), {
    cwd: home,
    env: launcherEnvironment(home, java.home, paths),
    ...user,
  })
  // The launcher is our child and the server is the launcher's.
  const forget = atExit(() => signalServer(paths.pid, 'SIGKILL'))
  const stop = async () => {
    const inOrder = await launcher.stop(STOP_GRACE, () => {
      if (!signalServer(paths.pid, 'SIGTERM')) launcher.signal('SIGTERM')
    })
    if (!inOrder) signalServer(paths.pid, 'SIGKILL')
    forget()
    await folder.remove()
  }

  const url = `http://127.0.0.1:${httpPort}`
  try {
    await launcher.line(STARTED, BOOT_TIMEOUT)
    await waitForYellow(url)
  } catch (error) {
    await stop()
    throw error
  }
  return { url, version, stop, [Symbol.asyncDispose]: stop }
}

interface Paths {
  readonly config: string
  readonly tmp: string
  readonly pid: string
}

async function writeSettings(config: string, settings: ElasticsearchOptions['settings'] = {}): Promise<void> {
  const lines = Object.entries(settings).map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`)
  await writeFile(join(config, 'elasticsearch.yml'), lines.join(''))
}

/** The server's own start script needs a home and a shell; this is what it runs in the end. */
function launcherArgs(home: string, paths: Paths): string[] {
  const memory = ['-Xms4m', '-Xmx64m', '-XX:+UseSerialGC']
  if (existsSync(join(home, 'lib/tools/server-launcher'))) {
    const main = 'org.elasticsearch.server.launcher.ServerLauncher'
    return [...memory, '-cp', join(home, 'lib/tools/server-launcher/*'), main, '-p', paths.pid]
  }
  const properties = {
    'cli.name': 'server',
    'cli.script': join(home, 'bin/elasticsearch'),
    'cli.libs': 'lib/tools/server-cli',
    'es.path.home': home,
    'es.path.conf': paths.config,
    'es.distribution.type': 'zip',
    'es.java.type': 'ES_JAVA_HOME',
  }
  const defines = Object.entries(properties).map(([name, value]) => `-D${name}=${value}`)
  const classes = `${join(home, 'lib/*')}:${join(home, 'lib/cli-launcher/*')}`
  return [
    ...memory,
    ...defines,
    '-cp',
    classes,
    'org.elasticsearch.launcher.CliToolLauncher',
    '-p',
    paths.pid,
  ]
}

/** Nothing else is inherited: options for other Java programs would end the server, or change it. */
function launcherEnvironment(home: string, javaHome: string, paths: Paths): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    ES_HOME: home,
    ES_PATH_CONF: paths.config,
    ES_TMPDIR: paths.tmp,
    ES_DISTRIBUTION_TYPE: 'zip',
    ES_JAVA_HOME: javaHome,
    JAVA: join(javaHome, 'bin/java'),
    JAVA_TYPE: 'ES_JAVA_HOME',
  }
}

/** False when there is no server: it writes the file early in its start, and removes it when it ends in order. */
function signalServer(pidFile: string, name: NodeJS.Signals): boolean {
  try {
    return process.kill(Number(readFileSync(pidFile, 'utf8')), name)
  } catch {
    return false
  }
}

async function waitForYellow(url: string): Promise<void> {
  const response = await fetch(`${url}/_cluster/health?wait_for_status=yellow&timeout=60s`)
  if (!response.ok) throw new Error(`${url} is not healthy: ${response.status} ${await response.text()}`)
  await response.body?.cancel()
}
