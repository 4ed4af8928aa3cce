import { createHash } from 'node:crypto'
import { access, mkdtemp, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { cacheFolder, withLock } from '../../../test/servers/cache.ts'
import { run } from '../../../test/servers/process.ts'

/** Packages of the registry of npm that are no dependency of this one, only its users'. */
export interface Installed {
  /** Imports one of them. */
  load<T>(name: string): Promise<T>
}

/**
 * Installs packages, `name@version`, once per machine, without running their scripts. Undefined where the registry
 * cannot be reached.
 */
export async function installed(...packages: string[]): Promise<Installed | undefined> {
  const version = createHash('sha256').update(packages.join(' ')).digest('hex').slice(0, 12)
  const home = join(await cacheFolder(), `npm-${version}`)
  try {
    await withLock('npm', () => install(home, packages))
  } catch (error) {
    if (/ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ENETUNREACH/.test(String(error))) return undefined
    throw error
  }
  const { resolve } = createRequire(join(home, 'package.json'))
  return { load: (name) => import(pathToFileURL(resolve(name)).href) }
}

async function install(home: string, packages: readonly string[]): Promise<void> {
  if (await exists(home)) return
  const work = await mkdtemp(`${home}-`)
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--omit=optional', '--loglevel=error']
  try {
    await run('npm', ['install', '--prefix', work, ...quiet, ...packages])
    // Whole or not at all, also when this process is killed.
    await rename(work, home)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
