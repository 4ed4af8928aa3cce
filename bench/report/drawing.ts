import { numberText } from './table.ts'

/** A piece of a drawing: elements that start at the left upper corner, and how tall they are. */
export interface Panel {
  readonly elements: readonly string[]
  readonly height: number
}

export interface Bar {
  readonly name: string
  /** Drawn one after the other; `kind` chooses the colour. */
  readonly parts: readonly { readonly kind: string; readonly value: number }[]
  readonly budget?: number | undefined
}

export interface Line {
  readonly kind: string
  readonly values: readonly number[]
}

export const WIDTH = 860
const MARGIN = 20
const LABELS = 230
const VALUES = 70
const PLOT = WIDTH - 2 * MARGIN - LABELS - VALUES
const BAR_STEP = 24
const BAR_HEIGHT = 14
const TITLE_HEIGHT = 48
const LINES_HEIGHT = 180
const GAP = 24

/** Light and dark as the reader's system is. Colours by kind of process; budgets are dashed. */
const STYLE = `
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 14px }
.dim { fill: #59636e }
.page { fill: #ffffff }
.axis { stroke: #d1d9e0; stroke-width: 1 }
.budget { stroke: #cf222e; stroke-width: 2; stroke-dasharray: 4 3 }
.line { fill: none; stroke-width: 2 }
.gateway, .adaptive { fill: #2f6fde } .drain, .fixed { fill: #c2620a } .both { fill: #8250df } .redis { fill: #1a7f37 } .other { fill: #6e7781 }
.line.gateway, .line.adaptive { fill: none; stroke: #2f6fde } .line.drain, .line.fixed { fill: none; stroke: #c2620a } .line.redis { fill: none; stroke: #1a7f37 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .dim { fill: #9198a1 }
  .page { fill: #0d1117 }
  .axis { stroke: #3d444d }
  .budget { stroke: #ff7b72 }
  .gateway, .adaptive { fill: #6ea8fe } .drain, .fixed { fill: #f0a04b } .both { fill: #c297ff } .redis { fill: #56d364 } .other { fill: #9198a1 }
  .line.gateway, .line.adaptive { stroke: #6ea8fe } .line.drain, .line.fixed { stroke: #f0a04b } .line.redis { stroke: #56d364 }
}`

/** Bars from the left, one below the other, each with its value; a dashed line stands at its budget. */
export function barPanel(title: string, unit: string, bars: readonly Bar[]): Panel {
  const total = ({ parts }: Bar): number => parts.reduce((sum, { value }) => sum + value, 0)
  const scale = PLOT / Math.max(...bars.map((bar) => Math.max(total(bar), bar.budget ?? 0)), Number.MIN_VALUE)
  const elements = [...heading(title, unit, [...new Set(bars.flatMap(kindsOf))])]
  for (const [index, bar] of bars.entries()) {
    const top = TITLE_HEIGHT + index * BAR_STEP
    const base = top + BAR_HEIGHT - 3
    elements.push(text(MARGIN, base, bar.name))
    let left = MARGIN + LABELS
    for (const { kind, value } of bar.parts) {
      const width = value * scale
      elements.push(
        `<rect class="${kind}" x="${round(left)}" y="${top}" width="${round(width)}" height="${BAR_HEIGHT}"/>`,
      )
      left += width
    }
    elements.push(text(left + 6, base, numberText(total(bar)), 'dim'))
    if (bar.budget !== undefined) {
      const x = MARGIN + LABELS + bar.budget * scale
      elements.push(line('budget', x, top - 4, x, top + BAR_HEIGHT + 4))
    }
  }
  return { elements, height: TITLE_HEIGHT + bars.length * BAR_STEP + GAP }
}

/** Values over time, from zero up, with a dashed line at the budget. The longest line takes all of `seconds`. */
export function linePanel(
  title: string,
  unit: string,
  lines: readonly Line[],
  options: { readonly seconds: number; readonly budget?: number; readonly height?: number },
): Panel {
  const { seconds, budget, height = LINES_HEIGHT } = options
  const highest = Math.max(budget ?? Number.MIN_VALUE, ...lines.flatMap(({ values }) => values))
  const longest = Math.max(...lines.map(({ values }) => values.length))
  const width = WIDTH - 2 * MARGIN - VALUES
  const bottom = TITLE_HEIGHT + height
  const yOf = (value: number): number => bottom - (value / highest) * height
  const elements = [
    ...heading(
      title,
      unit,
      lines.map(({ kind }) => kind),
    ),
    line('axis', MARGIN, bottom, MARGIN + width, bottom),
    text(MARGIN, bottom + 16, '0 s', 'dim'),
    text(MARGIN + width - 40, bottom + 16, `${Math.round(seconds)} s`, 'dim'),
  ]
  if (budget === undefined)
    elements.push(text(MARGIN + width + 6, TITLE_HEIGHT + 4, numberText(highest), 'dim'))
  else {
    elements.push(line('budget', MARGIN, yOf(budget), MARGIN + width, yOf(budget)))
    elements.push(text(MARGIN + width + 6, yOf(budget) + 4, `${budget} budget`, 'dim'))
  }
  for (const { kind, values } of lines) {
    const step = width / Math.max(1, longest - 1)
    const points = values.map((value, at) => `${round(MARGIN + at * step)},${round(yOf(value))}`)
    elements.push(`<polyline class="line ${kind}" points="${points.join(' ')}"/>`)
    const last = values.at(-1)
    if (last !== undefined && budget !== undefined)
      elements.push(text(MARGIN + width + 6, yOf(last) + 4, numberText(last), 'dim'))
  }
  return { elements, height: bottom + 16 + GAP }
}

/** A whole SVG document of panels below one another. */
export function drawing(title: string, panels: readonly Panel[]): string {
  let top = MARGIN
  const groups = [`<g transform="translate(0 ${top})">${text(MARGIN, 12, title, 'dim')}</g>`]
  top += GAP
  for (const { elements, height } of panels) {
    groups.push(`<g transform="translate(0 ${top})">`, ...elements, '</g>')
    top += height
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" width="${WIDTH}" height="${top}">`,
    `<style>${STYLE}\n</style>`,
    `<rect class="page" width="${WIDTH}" height="${top}"/>`,
    ...groups,
    '</svg>\n',
  ].join('\n')
}

const kindsOf = ({ parts }: Bar): string[] => parts.map(({ kind }) => kind)

/** Title, and below it the unit and what the colours mean. */
function heading(title: string, unit: string, kinds: readonly string[]): string[] {
  const named = kinds.filter((kind) => kind !== 'other')
  const colours = named.flatMap((kind, index) => {
    const x = MARGIN + LABELS + index * 80
    return [`<rect class="${kind}" x="${x}" y="23" width="10" height="10"/>`, text(x + 15, 32, kind, 'dim')]
  })
  return [text(MARGIN, 14, title, 'title'), text(MARGIN, 32, unit, 'dim'), ...colours]
}

function text(x: number, y: number, content: string, kind = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return `<text${kind === '' ? '' : ` class="${kind}"`} x="${round(x)}" y="${round(y)}">${escaped}</text>`
}

const line = (kind: string, x1: number, y1: number, x2: number, y2: number): string =>
  `<line class="${kind}" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`

const round = (value: number): string => (Math.round(value * 10) / 10).toString()
