import { execFile } from 'node:child_process'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder, withLock } from './cache.ts'
import { executable, run, which } from './process.ts'

/** A Debian release without Valkey has it here; the machine's own sources stay as they are. */
const SOURCE = 'deb http://deb.debian.org/debian bookworm-backports main'
const PACKAGES = ['valkey-server', 'valkey-tools']

let found: Promise<string> | undefined

/**
 * Where valkey-server is: SLUICE_VALKEY_SERVER, on PATH, or unpacked from Debian's package into the cache.
 * @throws Error where it can be had by none of these ways
 */
export function valkeyProgram(): Promise<string> {
  found ??= find()
  return found
}

/** Why there is no Valkey on this machine; empty where there is one. */
export async function valkeyProblem(): Promise<string> {
  return valkeyProgram().then(
    () => '',
    (error: unknown) => (error instanceof Error ? error.message.split('\n')[0] : String(error)),
  )
}

async function find(): Promise<string> {
  const named = process.env.SLUICE_VALKEY_SERVER
  if (named) {
    if (executable(named)) return named
    throw new Error(`SLUICE_VALKEY_SERVER is ${named}, which is no program that can be run`)
  }
  const installed = which('valkey-server')
  if (installed) return installed
  const folder = join(await cacheFolder(), 'valkey')
  const program = join(folder, 'root/usr/bin/valkey-server')
  await withLock('valkey', async () => {
    if (!executable(program)) await unpack(folder)
  })
  try {
    await promisify(execFile)(program, ['--version'])
  } catch (error) {
    throw new Error(`${program} does not run here: ${String(error)}`, { cause: error })
  }
  return program
}

async function unpack(folder: string): Promise<void> {
  if (!which('apt-get') || !which('dpkg')) {
    throw new Error('valkey-server is needed: install it, or set SLUICE_VALKEY_SERVER to its path')
  }
  for (const name of ['lists/partial', 'archives/partial', 'root']) {
    await mkdir(join(folder, name), { recursive: true })
  }
  await writeFile(join(folder, 'sources.list'), `${SOURCE}\n`)
  const settings = {
    'Dir::Etc::sourcelist': join(folder, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::State::lists': join(folder, 'lists'),
    'Dir::Cache': folder,
    'APT::Sandbox::User': '',
    'Acquire::Retries': '1',
  }
  const options = ['-q', ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])]
  await run('apt-get', [...options, 'update'])
  await run('apt-get', [...options, 'download', ...PACKAGES], { cwd: folder })
  for (const file of await readdir(folder)) {
    if (file.endsWith('.deb')) await run('dpkg', ['-x', join(folder, file), join(folder, 'root')])
  }
}
