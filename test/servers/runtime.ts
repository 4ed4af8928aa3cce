import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))

export interface Runtime {
  /** Of Node. */
  readonly flags: readonly string[]
  /** Variables of the environment. */
  readonly env: Readonly<Record<string, string>>
}

/** What the `sluice` command runs with, as its first line says: whoever starts it otherwise has to say so too. */
export const RUNTIME = parseRuntime(
  readFileSync(MAIN, 'utf8').split('\n')[0].replace('#!/usr/bin/env -S ', ''),
)

/** Takes `NAME=value … node --flag …` apart; what follows the flags is left out. */
export function parseRuntime(line: string): Runtime {
  const words = line.split(' ')
  const node = words.indexOf('node')
  return {
    env: Object.fromEntries(words.slice(0, node).map((word) => word.split('=') as [string, string])),
    flags: words.slice(node + 1).filter((word) => word.startsWith('--')),
  }
}
