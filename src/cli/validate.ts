import type { Command } from 'commander'
import { formatIssue } from '../config/errors.ts'
import { configOption, readConfig } from './config-file.ts'
import type { CliContext } from './context.ts'

/** `sluice validate`: checks a config without starting anything. */
export function addValidate(program: Command, context: CliContext): void {
  program
    .command('validate')
    .description('check a config without running it')
    .addOption(configOption())
    .action((options: { readonly config?: string }) => {
      const { file, warnings, pipelines } = readConfig(options.config, context)
      for (const warning of warnings) context.stderr.write(`${formatIssue(warning)} (warning)\n`)
      context.stdout.write(`${file}: valid, pipelines: ${pipelines.map(({ name }) => name).join(', ')}\n`)
    })
}
