import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { canInstall, installPackages } from '../../servers/apt.ts'
import { temporaryFolder } from '../../servers/at-exit.ts'
import { run, which } from '../../servers/process.ts'

/** A library for LD_PRELOAD, and a folder beside it for what it shares with the test. */
export interface Shim extends AsyncDisposable {
  readonly library: string
  readonly folder: string
}

/** Compiles a file of `test/faults/shim`. */
export async function buildShim(source: string): Promise<Shim> {
  const hasCompiler = (): boolean => which('cc') !== undefined
  if (!hasCompiler() && canInstall()) await installPackages(['gcc', 'libc6-dev'], hasCompiler)
  if (!hasCompiler()) throw new Error('a C compiler is needed: install one (`apt-get install gcc libc6-dev`)')
  const folder = await temporaryFolder('shim')
  const library = join(folder.path, 'shim.so')
  const file = fileURLToPath(new URL(`../shim/${source}`, import.meta.url))
  await run('cc', ['-shared', '-fPIC', '-O1', '-Wall', '-Werror', '-o', library, file, '-ldl'])
  return { library, folder: folder.path, [Symbol.asyncDispose]: () => folder.remove() }
}
