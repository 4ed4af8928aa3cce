import { count, figures } from './format.ts'
import type { Played } from './results.ts'
import type { Sample } from './simulate.ts'
import { SIMULATED_CELLS } from './topology.ts'

interface Line {
  readonly name: string
  readonly color: string
  readonly of: (sample: Sample) => number
}

interface Panel {
  readonly title: string
  readonly lines: readonly Line[]
  readonly format: (value: number) => string
}

const WIDTH = 640
const LEFT = 56
const RIGHT = 22
const TOP = 34
const PANEL = 92
const GAP = 30
const POINTS = 160
/** Readable on light and on dark. */
const [GREY, BLUE, ORANGE, RED] = ['#808080', '#3b82f6', '#f59e0b', '#ef4444']

/** Backlog, delay and what was sent back or lost over the time of a run, as an SVG for light and dark pages. */
export function plot({ summary, plan, run }: Played): string {
  const whole = plan.cells / SIMULATED_CELLS
  const panels: Panel[] = [
    {
      title: 'backlog in Redis, minutes of the usual load',
      lines: [{ name: 'backlog', color: BLUE, of: ({ backlog }) => (backlog * whole) / plan.rate / 60 }],
      format: figures,
    },
    {
      title: 'delay until indexed, minutes',
      lines: [
        { name: 'p99', color: ORANGE, of: ({ p99 }) => p99 / 60_000 },
        { name: 'p50', color: BLUE, of: ({ p50 }) => p50 / 60_000 },
      ],
      format: figures,
    },
    {
      title: 'records so far',
      lines: [
        { name: 'sent back', color: ORANGE, of: ({ refused }) => refused * whole },
        { name: 'lost', color: RED, of: ({ lost }) => lost * whole },
      ],
      format: count,
    },
  ]
  const height = TOP + panels.length * (PANEL + GAP)
  const samples = thinned(run.samples)
  const [{ ms: from }, { ms: to }] = [samples[0], samples[samples.length - 1]]
  const x = (ms: number): number => LEFT + ((ms - from) / (to - from)) * (WIDTH - LEFT - RIGHT)
  const drawn = panels.map((panel, number) => draw(panel, TOP + number * (PANEL + GAP), samples, x))
  const { beginsMs, endsMs } = run.scenario
  const cause = `<rect x="${round(x(beginsMs))}" y="${TOP}" width="${round(x(Math.min(endsMs, to)) - x(beginsMs))}" height="${height - TOP - GAP}" fill="${GREY}" fill-opacity="0.12"/>`
  const title = `${summary.title}, ${count(plan.rate)} records/s`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="11" fill="${GREY}">
<title>${title}</title>
<text x="${LEFT}" y="16" font-size="13">${title}</text>
${cause}
${drawn.join('\n')}
${ticks(from, to, x, height)}
</svg>
`
}

function draw(
  { title, lines, format }: Panel,
  top: number,
  samples: readonly Sample[],
  x: (ms: number) => number,
): string {
  const most = Math.max(...lines.flatMap(({ of }) => samples.map(of)))
  const bottom = top + PANEL
  const y = (value: number): number => bottom - (most === 0 ? 0 : (value / most) * (PANEL - 16))
  const legend = lines.length === 1 ? [] : lines.toReversed()
  return [
    `<line x1="${LEFT}" y1="${bottom}" x2="${WIDTH - RIGHT}" y2="${bottom}" stroke="${GREY}" stroke-opacity="0.5"/>`,
    `<text x="${LEFT}" y="${top + 8}">${title}</text>`,
    `<text x="${LEFT - 6}" y="${round(y(most) + 4)}" text-anchor="end">${format(most)}</text>`,
    `<text x="${LEFT - 6}" y="${bottom + 4}" text-anchor="end">0</text>`,
    ...legend.map(
      ({ name, color }, place) =>
        `<text x="${WIDTH - RIGHT - place * 70}" y="${top + 8}" text-anchor="end" fill="${color}">${name}</text>`,
    ),
    ...lines.map(({ color, of }) => {
      const points = samples.map((sample) => `${round(x(sample.ms))},${round(y(of(sample)))}`).join(' ')
      return `<polyline fill="none" stroke="${color}" stroke-width="1.5" points="${points}"/>`
    }),
  ].join('\n')
}

/** Minutes along the bottom. */
function ticks(from: number, to: number, x: (ms: number) => number, height: number): string {
  const step = [1, 2, 5, 10, 20, 30, 60].find((minutes) => (to - from) / 60_000 / minutes <= 12) ?? 120
  const texts: string[] = []
  for (let minutes = 0; minutes * 60_000 <= to; minutes += step) {
    if (minutes * 60_000 < from) continue
    texts.push(
      `<text x="${round(x(minutes * 60_000))}" y="${height - 12}" text-anchor="middle">${minutes} min</text>`,
    )
  }
  return texts.join('\n')
}

/** As many samples as can be seen; each is the one with the longest delay of its stretch. */
function thinned(samples: readonly Sample[]): Sample[] {
  const stretch = Math.max(1, Math.ceil(samples.length / POINTS))
  const kept: Sample[] = []
  for (let from = 0; from < samples.length; from += stretch) {
    kept.push(samples.slice(from, from + stretch).reduce((a, b) => (b.p99 > a.p99 ? b : a)))
  }
  return kept
}

const round = (value: number): number => Math.round(value * 10) / 10
