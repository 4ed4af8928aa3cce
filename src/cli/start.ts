import { components } from '../components.ts'
import { WORKER_VARIABLE } from '../processes/messages.ts'
import { runService } from '../service/run.ts'
import { askAtTerminal } from './confirm.ts'
import { EXIT } from './context.ts'
import { runCli } from './program.ts'

/** Runs the command line that the process was given, or works for the process that started it; resolves to the exit code. */
export async function start(): Promise<number> {
  // Without a connection to take orders from, the variable was set by somebody else.
  if (process.env[WORKER_VARIABLE] !== undefined && process.connected) {
    const { runWorker } = await import('../processes/worker.ts')
    return runWorker(components)
  }
  const args = process.argv.slice(2)
  if (args[0] !== 'run') process.stdout.on('error', endWhereNobodyReads)
  return runCli(args, {
    components,
    runService: async (config, options) => {
      if (config.processes === undefined) return runService(config, options)
      const { runProcesses } = await import('../processes/primary.ts')
      return runProcesses(config, options)
    },
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    confirm: askAtTerminal,
  })
}

/** `| head` has seen enough. */
function endWhereNobodyReads(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(EXIT.ok)
  throw error
}
