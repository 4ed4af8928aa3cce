import { writeFileSync } from 'node:fs'
import type { Reporter, TestCase } from 'vitest/node'
import type { Figures } from './figures.ts'

const COLUMNS = [
  'case',
  'seconds',
  'issued',
  'acknowledged',
  'refused',
  'delivered',
  'repeated',
  'doubled',
  'lost',
] as const

/** Prints what the cases came to as a table, and writes it to the file that SLUICE_FAULTS_JSON names. */
export default class FiguresReporter implements Reporter {
  readonly #figures: Figures[] = []

  onTestCaseResult(test: TestCase): void {
    const { figures } = test.meta()
    if (figures) this.#figures.push(figures)
  }

  onTestRunEnd(): void {
    if (this.#figures.length === 0) return
    process.stdout.write(`\n${tableOf(this.#figures)}\n`)
    const file = process.env.SLUICE_FAULTS_JSON
    if (file) writeFileSync(file, `${JSON.stringify(this.#figures, undefined, 2)}\n`)
  }
}

function tableOf(figures: readonly Figures[]): string {
  const rows = [[...COLUMNS, 'more'], ...figures.map(cellsOf)]
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd()
  return rows.map(line).join('\n')
}

function cellsOf(figures: Figures): string[] {
  const more = Object.entries(figures.more).map(([name, value]) => `${name} ${value}`)
  return [...COLUMNS.map((column) => String(figures[column])), more.join(', ')]
}
