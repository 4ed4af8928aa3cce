import { drawing, linePanel, type Panel } from '../report/drawing.ts'
import type { Overload, Second } from './run.ts'

/** Runs of one server, by how their concurrency was ruled. */
export interface Compared {
  readonly server: string
  readonly runs: Readonly<Record<'adaptive' | 'fixed', Overload>>
}

const HEIGHT = 90

/** What was delivered, the limit, what was refused and how long a bulk took, second by second, as an SVG. */
export function drawOverload(title: string, all: readonly Compared[]): string {
  return drawing(title, all.flatMap(panelsOf))
}

function panelsOf({ server, runs }: Compared): Panel[] {
  const seconds = Math.max(...Object.values(runs).map((run) => run.seconds.length))
  const panel = (title: string, unit: string, of: (second: Second) => number): Panel =>
    linePanel(
      title,
      unit,
      Object.entries(runs).map(([kind, run]) => ({ kind, values: run.seconds.map(of) })),
      { seconds, height: HEIGHT },
    )
  return [
    panel(`${server}: delivered`, 'records/s', ({ delivered }) => delivered),
    panel('limit', 'requests under way', ({ limit }) => limit),
    panel('refused with 429', 'requests/s', ({ refused }) => refused),
    panel('answer time', 'ms of a bulk', ({ latency }) => latency),
  ]
}
