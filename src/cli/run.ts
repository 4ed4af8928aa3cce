import type { Command } from 'commander'
import { selectPipelines } from '../config/pipelines.ts'
import { configOption, readConfig } from './config-file.ts'
import type { CliContext } from './context.ts'

interface RunOptions {
  readonly config?: string
  readonly pipelines?: readonly string[]
}

/** `sluice run`: runs the pipelines of a config until SIGTERM or SIGINT. */
export function addRun(program: Command, context: CliContext, exit: (code: number) => void): void {
  program
    .command('run')
    .description('run the pipelines of a config')
    .addOption(configOption())
    .option('-p, --pipelines <names>', 'run only these, separated by commas', splitNames)
    .action(async ({ config: file, pipelines }: RunOptions) => {
      const config = readConfig(file, context)
      selectPipelines(config, pipelines)
      exit(await context.runService(config, pipelines ? { pipelines } : {}))
    })
}

function splitNames(list: string): string[] {
  return list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}
