import { components } from '../components.ts'
import { runService } from '../service/run.ts'
import { runCli } from './program.ts'

/** Runs the command line that the process was given, and resolves to its exit code. */
export function start(): Promise<number> {
  return runCli(process.argv.slice(2), {
    components,
    runService,
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
  })
}
