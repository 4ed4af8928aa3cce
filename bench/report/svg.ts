import { RSS_MIB } from '../budgets.ts'
import { type Case, type Figure, type SuiteResult, valueOf } from '../figures.ts'
import { type Bar, barPanel, drawing, linePanel, type Panel } from './drawing.ts'
import type { Report } from './json.ts'

/** What the path consists of, in the order it is drawn. */
const PATH = ['gateway', 'drain', 'both', 'redis']

/** The report as an SVG drawing: CPU per record of each suite, and latency, start, scaling and memory. */
export function drawReport({ suites, machine, commit, date }: Report): string {
  const title = `${date.slice(0, 10)}, ${commit}, ${machine.cores} × ${machine.cpu}`
  return drawing(
    title,
    suites.map((suite) => panelOf(suite)),
  )
}

function panelOf(suite: SuiteResult): Panel {
  if (suite.series) {
    const [{ everySeconds, values, unit }] = suite.series
    const lines = suite.series.map((series) => ({ kind: series.name, values: series.values }))
    const seconds = everySeconds * values.length
    return linePanel(suite.title, unit, lines, { seconds, budget: RSS_MIB })
  }
  if (suite.cases.some(({ figures }) => figures.some(({ name }) => name === 'whole'))) {
    return barPanel(suite.title, 'CPU µs per record, corrected', suite.cases.map(pathBar))
  }
  // Bars of one panel share a scale: the unit is that of the budgets.
  const all = suite.cases.flatMap(({ figures }) => figures)
  const unit = all.find(({ budget }) => budget)?.unit ?? ''
  const bars = suite.cases.flatMap((each) => figureBars(each, unit))
  return barPanel(suite.title, unit, bars)
}

function pathBar({ name, figures }: Case): Bar {
  const parts = figures.filter((figure) => PATH.includes(figure.name))
  const whole = figures.find((figure) => figure.name === 'whole')
  return {
    name,
    parts: parts.map((figure) => ({ kind: figure.name, value: valueOf(figure) })),
    budget: whole && limitOf(whole),
  }
}

function figureBars({ name, figures }: Case, unit: string): Bar[] {
  return figures
    .filter((figure) => figure.unit === unit && figure.name !== 'slowness')
    .map((figure) => ({
      name: `${name}, ${figure.name}`,
      parts: [{ kind: 'other', value: valueOf(figure) }],
      budget: limitOf(figure),
    }))
}

function limitOf({ budget }: Figure): number | undefined {
  return budget && ('atMost' in budget ? budget.atMost : budget.atLeast)
}
