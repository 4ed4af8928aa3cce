import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { CliContext } from '../../src/cli/context.ts'
import { runCli } from '../../src/cli/program.ts'
import type { ServiceConfig } from '../../src/config/config.ts'
import { registry } from '../config/fakes.ts'

/** What came of a command line. */
export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** What the service was started with. */
  readonly started: { readonly config: ServiceConfig; readonly pipelines: readonly string[] | undefined }[]
}

/** Runs `sluice` with these words in this process; the service is one that stops at once. */
export async function sluice(
  args: readonly string[],
  {
    env = {},
    result = 0,
    components = registry,
    answer,
  }: {
    readonly env?: CliContext['env']
    readonly result?: number
    readonly components?: CliContext['components']
    /** What the person at the terminal says; without it there is nobody. */
    readonly answer?: boolean
  } = {},
): Promise<Outcome> {
  let stdout = ''
  let stderr = ''
  const started: Outcome['started'] = []
  const code = await runCli(args, {
    components,
    runService: async (config, { pipelines }) => {
      started.push({ config, pipelines })
      return result
    },
    env,
    stdout: {
      write: (text) => (stdout += typeof text === 'string' ? text : Buffer.from(text).toString('latin1')),
    },
    stderr: { write: (text) => (stderr += text) },
    confirm: async () => answer,
  })
  return { code, stdout, stderr, started }
}

/** A config file that is gone when the test is. */
export function configFile(yaml: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-cli-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'config.yaml')
  writeFileSync(file, yaml)
  return file
}
