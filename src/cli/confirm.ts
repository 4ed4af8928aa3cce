import { createInterface } from 'node:readline/promises'
import { ConfigError } from '../config/errors.ts'
import type { CliContext } from './context.ts'

/** Asks on the terminal whether to go on; undefined where there is none. */
export async function askAtTerminal(question: string): Promise<boolean | undefined> {
  const { stdin, stderr } = process
  if (!stdin.isTTY || !stderr.isTTY) return undefined
  const terminal = createInterface({ input: stdin, output: stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim())
  } finally {
    terminal.close()
  }
}

/** Whether to do what cannot be undone. Throws a `ConfigError` when nobody can be asked and `--yes` was not given. */
export async function confirmed(
  question: string,
  yes: boolean | undefined,
  { confirm }: Pick<CliContext, 'confirm'>,
): Promise<boolean> {
  if (yes) return true
  const answer = await confirm(question)
  if (answer !== undefined) return answer
  throw ConfigError.about('--yes', `is needed where there is no terminal to ask at: ${question}`)
}
