import type { Command } from 'commander'
import { redactedYaml } from '../config/print.ts'
import { configOption, readConfig } from './config-file.ts'
import type { CliContext } from './context.ts'

/** `sluice print-config`: shows the config as it takes effect. */
export function addPrintConfig(program: Command, context: CliContext): void {
  program
    .command('print-config')
    .description('print a config with its defaults filled in and its secrets masked')
    .addOption(configOption())
    .action((options: { readonly config?: string }) => {
      context.stdout.write(redactedYaml(readConfig(options.config, context)))
    })
}
