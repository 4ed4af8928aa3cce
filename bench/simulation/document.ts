import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { costTable, cpuTable, memoryTable, parameterTable, planSentence, sizingTable } from './plan-tables.ts'
import { scenarioTable, type Validation, validationTable } from './result-tables.ts'
import type { Results } from './results.ts'

export const DOCUMENT = fileURLToPath(new URL('../../docs/scale.md', import.meta.url))
export const RESULTS = fileURLToPath(new URL('../../docs/scale/results.json', import.meta.url))
export const VALIDATION = fileURLToPath(new URL('../../docs/scale/validation.json', import.meta.url))

/** The parts of docs/scale.md that are made, by the names of their markers. */
export function blocks(): ReadonlyMap<string, string> {
  const results = JSON.parse(readFileSync(RESULTS, 'utf8')) as Results
  const validation = JSON.parse(readFileSync(VALIDATION, 'utf8')) as Validation
  return new Map([
    ...planBlocks(),
    ['scenarios', scenarioTable(results.scenarios)],
    ['variants', scenarioTable(results.variants)],
    ['validation', validationTable(validation)],
  ])
}

/** Those of them that follow from the parameters alone. */
export function planBlocks(): Map<string, string> {
  return new Map([
    ['short', planSentence()],
    ['sizing', sizingTable()],
    ['costs', costTable()],
    ['cpu', cpuTable()],
    ['memory', memoryTable()],
    ['parameters', parameterTable()],
  ])
}

/**
 * Puts each block between `<!-- name -->` and `<!-- /name -->`.
 * @throws Error naming a marker that the text lacks
 */
export function filled(text: string, contents: ReadonlyMap<string, string>): string {
  let result = text
  for (const [name, content] of contents) {
    const [begin, end] = [`<!-- ${name} -->\n`, `\n<!-- /${name} -->`]
    const from = result.indexOf(begin)
    const to = result.indexOf(end)
    if (from === -1 || to < from)
      throw new Error(`docs/scale.md has no ${begin.trim()} … ${end.trim()} to fill`)
    result = result.slice(0, from + begin.length) + content + result.slice(to)
  }
  return result
}
