import { type Budget, type Case, type Figure, misses, type SuiteResult, valueOf } from '../figures.ts'

/** Wider tables go on below. */
const MAX_WIDTH = 118

/** A suite as text: a line for each case, with what was measured before correction and the budgets below it. */
export function suiteTable({ suite, title, cases }: SuiteResult): string {
  const all = cases.flatMap(({ figures }) => figures)
  const columns = [...new Map(all.map(({ name, unit }) => [name, unit]))]
  const tables: string[] = []
  for (let from = 0, to = columns.length; from < columns.length; from = to, to = columns.length) {
    let table = tableOf(cases, columns.slice(from, to))
    while (widthOf(table) > MAX_WIDTH && to > from + 1) table = tableOf(cases, columns.slice(from, --to))
    tables.push(table)
  }
  return [`${suite}: ${title}`, ...tables].join('\n')
}

function tableOf(cases: readonly Case[], columns: readonly (readonly [string, string])[]): string {
  const names = columns.map(([name]) => name)
  const units = ['', ...columns.map(([, unit]) => unit)]
  return textTable(['', ...names], [units, ...cases.flatMap((each) => caseRows(each, names))])
}

const widthOf = (table: string): number => Math.max(...table.split('\n').map(({ length }) => length))

function caseRows({ name, figures: all }: Case, names: readonly string[]): string[][] {
  const figures = all.filter((figure) => names.includes(figure.name))
  const row = (label: string, cell: (figure: Figure) => string): string[] => [
    label,
    ...names.map((each) => {
      const found = figures.find((figure) => figure.name === each)
      return found ? cell(found) : ''
    }),
  ]
  const rows = [row(name, (figure) => `${numberText(valueOf(figure))}${misses(figure) ? ' !' : ''}`)]
  if (figures.some(({ corrected }) => corrected !== undefined)) {
    rows.push(
      row('  as measured', ({ corrected, median }) => (corrected === undefined ? '' : numberText(median))),
    )
  }
  if (figures.some(({ budget }) => budget)) {
    rows.push(row('  budget', ({ budget }) => (budget ? budgetText(budget) : '')))
  }
  return rows
}

/** Columns of even width, the first to the left and the others to the right. */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column].length)))
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Three digits that count, and whole numbers from 100 on. */
export function numberText(value: number): string {
  if (Number.isNaN(value)) return '-'
  const size = Math.abs(value)
  if (size >= 100) return Math.round(value).toLocaleString('en')
  return value.toFixed(size >= 10 ? 1 : size === 0 ? 0 : 2)
}

const budgetText = (budget: Budget): string =>
  'atMost' in budget ? `≤ ${numberText(budget.atMost)}` : `≥ ${numberText(budget.atLeast)}`
