import { withLock } from './cache.ts'
import { run, which } from './process.ts'
import { isRoot } from './users.ts'

export function canInstall(): boolean {
  return isRoot() && which('apt-get') !== undefined
}

/**
 * Installs Debian packages unless `enough` holds, also when another process made it hold while this one waited.
 * A package may be named with alternatives: `openjdk-17-jre-headless|openjdk-21-jre-headless`.
 */
export async function installPackages(packages: readonly string[], enough: () => boolean): Promise<void> {
  await withLock('apt', async () => {
    if (enough()) return
    await run('apt-get', ['update', '-q'], { env: environment() })
    const names = await Promise.all(packages.map(available))
    await run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...names], { env: environment() })
  })
}

function environment(): NodeJS.ProcessEnv {
  // In runlevel 1 Debian installs a service without starting it.
  return { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
}

async function available(alternatives: string): Promise<string> {
  const names = alternatives.split('|')
  for (const name of names) {
    const known = await run('apt-cache', ['show', name]).then(
      () => true,
      () => false,
    )
    if (known) return name
  }
  return names[0]
}
