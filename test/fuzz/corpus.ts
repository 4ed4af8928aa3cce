import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/**
 * Inputs that were kept, a line of base64 each: those that reached code which the seeds do not reach, and those that
 * once showed a defect.
 */
export function readCorpus(name: string): Buffer[] {
  const file = new URL(`./corpus/${name}.txt`, import.meta.url)
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => Buffer.from(line, 'base64'))
}

export function writeCorpus(file: string, inputs: readonly Buffer[]): void {
  writeFileSync(file, inputs.map((input) => `${input.toString('base64')}\n`).join(''))
}
