import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Distribution } from './elasticsearch-distribution.ts'
import { run } from './process.ts'
import type { User } from './users.ts'

export interface ServerPaths {
  readonly config: string
  readonly data: string
  readonly logs: string
  readonly tmp: string
  readonly pid: string
}

export interface Command {
  readonly program: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
}

/** What runs the server in the foreground. */
export function serverCommand(distribution: Distribution, paths: ServerPaths): Command {
  const { flavor, home, java } = distribution
  const pid = ['-p', paths.pid]
  if (hasOwnScript(distribution)) {
    const name = flavor === 'opensearch' ? 'opensearch' : 'elasticsearch'
    const env = { ...environment(distribution, paths), JAVA_HOME: java.home, HOME: paths.tmp }
    return { program: 'bash', args: [join(home, 'bin', name), ...pid], env }
  }
  if (!existsSync(join(home, 'lib/tools/server-launcher'))) {
    return launcherCommand(distribution, paths, 'server', 'lib/tools/server-cli', pid)
  }
  const main = ['-cp', join(home, 'lib/tools/server-launcher/*'), SERVER_LAUNCHER]
  return {
    program: join(java.home, 'bin/java'),
    args: [...LAUNCHER_MEMORY, ...main, ...pid],
    env: environment(distribution, paths),
  }
}

/** Gives the user `elastic` a password before the first start. */
export async function setPassword(
  distribution: Distribution,
  paths: ServerPaths,
  password: string,
  user: User | undefined,
): Promise<void> {
  const keystore = async (args: readonly string[], input?: string): Promise<void> => {
    const tool = launcherCommand(distribution, paths, 'keystore', 'lib/tools/keystore-cli', args)
    const options = { cwd: distribution.home, env: tool.env, ...user, ...(input !== undefined && { input }) }
    await run(tool.program, tool.args, options)
  }
  await keystore(['create'])
  await keystore(['add', '-x', '-f', 'bootstrap.password'], password)
}

/** Sets the heap, and the folders that the options of older servers name relative to a home that is not theirs to write to. */
export async function writeJvmOptions(
  distribution: Distribution,
  paths: ServerPaths,
  heap: string,
): Promise<void> {
  const lines = `-Xms${heap}\n-Xmx${heap}\n`
  const extra = join(paths.config, 'jvm.options.d')
  if (hasOwnScript(distribution)) {
    const file = join(paths.config, 'jvm.options')
    const options = (await readFile(file, 'utf8'))
      .replaceAll(/([=:])logs\//g, `$1${paths.logs}/`)
      .replaceAll('HeapDumpPath=data', `HeapDumpPath=${paths.data}`)
    await writeFile(file, `${options}\n${lines}`)
  } else {
    await mkdir(extra, { recursive: true })
    await writeFile(join(extra, 'heap.options'), lines)
  }
}

/** These start scripts need nothing but a shell; those of others also want a home. */
function hasOwnScript({ flavor }: Distribution): boolean {
  return flavor === 'opensearch' || flavor === '6'
}

const LAUNCHER_MEMORY = ['-Xms4m', '-Xmx64m', '-XX:+UseSerialGC']
const SERVER_LAUNCHER = 'org.elasticsearch.server.launcher.ServerLauncher'

/** What the scripts of newer servers run in the end. */
function launcherCommand(
  distribution: Distribution,
  paths: ServerPaths,
  name: string,
  libraries: string,
  args: readonly string[],
): Command {
  const { home, java } = distribution
  const properties = {
    'cli.name': name,
    'cli.script': join(home, 'bin/elasticsearch'),
    'cli.libs': libraries,
    'es.path.home': home,
    'es.path.conf': paths.config,
    'es.distribution.type': 'zip',
    'es.java.type': 'ES_JAVA_HOME',
  }
  const defines = Object.entries(properties).map(([key, value]) => `-D${key}=${value}`)
  const classes = `${join(home, 'lib/*')}:${join(home, 'lib/cli-launcher/*')}`
  const main = ['-cp', classes, 'org.elasticsearch.launcher.CliToolLauncher']
  return {
    program: join(java.home, 'bin/java'),
    args: [...LAUNCHER_MEMORY, ...defines, ...main, ...args],
    env: environment(distribution, paths),
  }
}

/** Nothing else is inherited: options for other Java programs would end the server, or change it. */
function environment({ flavor, home, java }: Distribution, paths: ServerPaths): NodeJS.ProcessEnv {
  const prefix = flavor === 'opensearch' ? 'OPENSEARCH' : 'ES'
  return {
    PATH: process.env.PATH,
    [`${prefix}_HOME`]: home,
    [`${prefix}_PATH_CONF`]: paths.config,
    [`${prefix}_TMPDIR`]: paths.tmp,
    [`${prefix}_DISTRIBUTION_TYPE`]: 'zip',
    [`${prefix}_JAVA_HOME`]: java.home,
    JAVA: join(java.home, 'bin/java'),
    JAVA_TYPE: 'ES_JAVA_HOME',
  }
}
