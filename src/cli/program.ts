import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { ConfigError } from '../config/errors.ts'
import { addBuffer } from './buffer.ts'
import { addComponents } from './components.ts'
import { type CliContext, EXIT } from './context.ts'
import { addDlq } from './dlq.ts'
import { addEs } from './es.ts'
import { packageFile } from './package.ts'
import { addPrintConfig } from './print-config.ts'
import { addReplay } from './replay.ts'
import { addRun } from './run.ts'
import { addValidate } from './validate.ts'

/** Runs one command line and resolves with the exit code: 0 fine, 1 it went wrong, 2 it was asked wrongly, 3 there is something to do. */
export async function runCli(args: readonly string[], context: CliContext): Promise<number> {
  let code: number = EXIT.ok
  const program = createProgram(context)
  const setResult = (result: number) => {
    code = result
  }
  addRun(program, context, setResult)
  addValidate(program, context)
  addPrintConfig(program, context)
  addComponents(program, context)
  addBuffer(program, context)
  addDlq(program, context)
  addReplay(program, context, setResult)
  addEs(program, context, setResult)
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    // Commander has said what is wrong; it throws for --help and --version as well.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.config
    context.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return error instanceof ConfigError ? EXIT.config : EXIT.failure
  }
}

function createProgram({ stdout, stderr }: CliContext): Command {
  const { version, description } = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as {
    version: string
    description: string
  }
  return new Command('sluice')
    .description(description)
    .version(version)
    .exitOverride()
    .showHelpAfterError('(sluice --help tells what there is)')
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
    })
}
