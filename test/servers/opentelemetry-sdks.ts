import { createHash } from 'node:crypto'
import { access, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { canInstall, installPackages } from './apt.ts'
import { cacheFolder, withLock } from './cache.ts'
import { findJdk } from './java.ts'
import { copyDependencies } from './maven.ts'
import { run, which } from './process.ts'

/** How to start programs that use the SDK of another language. */
export interface ForeignSdk {
  readonly command: string
  readonly args: readonly string[]
}

const JAVA = 17

/** Python with the packages of a requirements.txt, installed once per machine, and never built from source. */
export async function pythonSdk(requirements: string): Promise<ForeignSdk> {
  const missing = () => which('python3') === undefined
  if (missing() && canInstall()) await installPackages(['python3', 'python3-venv'], () => !missing())
  if (missing()) throw new Error('python3 is needed: install it (`apt-get install python3 python3-venv`)')
  const home = await preparedOnce('python', requirements, async (folder) => {
    await run('python3', ['-m', 'venv', folder])
    const options = ['--only-binary', ':all:', '--disable-pip-version-check', '--no-deps', '-q']
    await run(join(folder, 'bin/python'), ['-m', 'pip', 'install', ...options, '-r', requirements])
  })
  return { command: join(home, 'bin/python'), args: [] }
}

/** Java that runs a program from its source, with the jars of a pom.xml, downloaded once per machine. */
export async function javaSdk(pom: string): Promise<ForeignSdk> {
  const missing = () => [
    ...(findJdk(JAVA) ? [] : ['openjdk-17-jdk-headless|openjdk-21-jdk-headless']),
    ...(which('mvn') ? [] : ['maven']),
  ]
  if (missing().length > 0 && canInstall()) await installPackages(missing(), () => missing().length === 0)
  const java = findJdk(JAVA)
  if (!java || missing().length > 0) {
    const names = missing().map((name) => name.split('|')[0])
    throw new Error(`a JDK and mvn are needed: install them (\`apt-get install ${names.join(' ')}\`)`)
  }
  const home = await preparedOnce('java', pom, (folder) => copyDependencies(pom, folder, java))
  return { command: join(java.home, 'bin/java'), args: ['-cp', join(home, '*')] }
}

/** A folder that `prepare` fills once for each content of `file`. */
async function preparedOnce(
  language: string,
  file: string,
  prepare: (folder: string) => Promise<void>,
): Promise<string> {
  const version = createHash('sha256')
    .update(await readFile(file))
    .digest('hex')
    .slice(0, 12)
  const home = join(await cacheFolder(), `opentelemetry-${language}-${version}`)
  await withLock(`opentelemetry-${language}`, async () => {
    if (await exists(home)) return
    const work = await mkdtemp(`${home}-`)
    try {
      await prepare(work)
      // Whole or not at all, also when this process is killed.
      await rename(work, home)
    } finally {
      await rm(work, { recursive: true, force: true })
    }
  })
  return home
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
