import { describe, expect, it } from 'vitest'
import { figure, misses, type SuiteResult, valueOf } from '../../bench/figures.ts'
import { makeReport } from '../../bench/report/json.ts'
import { drawReport } from '../../bench/report/svg.ts'
import { numberText, suiteTable } from '../../bench/report/table.ts'

const path: SuiteResult = {
  suite: 'path',
  title: 'Path <&> more',
  cases: [
    {
      name: 'requests & "records"',
      figures: [
        figure('gateway', { unit: 'µs', runs: [8, 12, 10], slowness: [2, 2, 2], budget: { atMost: 6 } }),
        figure('whole', { unit: 'µs', runs: [30], slowness: [2], budget: { atMost: 12 } }),
        figure('records/s', { unit: '1/s', runs: [60_000], slowness: [2], rate: true }),
        figure('slowness', { unit: 'times', runs: [2] }),
      ],
    },
  ],
}
const other: SuiteResult = {
  suite: 'start',
  title: 'Start',
  cases: [{ name: 'disk', figures: [figure('ready', { unit: 's', runs: [0.5], budget: { atMost: 1 } })] }],
}
const memory: SuiteResult = {
  suite: 'memory',
  title: 'Memory',
  cases: [],
  series: [{ name: 'gateway', unit: 'MiB', everySeconds: 1, values: [50, 80, 90] }],
}

describe('a figure', () => {
  it('is the median of its runs, each corrected for the slowness it was measured at', () => {
    const time = figure('cpu', { unit: 'µs', runs: [10, 30, 20], slowness: [1, 2, 2.5] })
    const rate = figure('rate', { unit: '1/s', runs: [10, 30, 20], slowness: [1, 2, 3], rate: true })

    expect([time.median, valueOf(time)]).toEqual([20, 10])
    expect([rate.median, valueOf(rate)]).toEqual([20, 60])
    expect(valueOf(figure('plain', { unit: 'ms', runs: [4, 6] }))).toBe(5)
  })

  it('is held against its budget as corrected, from above or from below', () => {
    const within = { unit: '', runs: [10], slowness: [2] }

    expect(misses(figure('', { ...within, budget: { atMost: 5 } }))).toBe(false)
    expect(misses(figure('', { ...within, budget: { atMost: 4.9 } }))).toBe(true)
    expect(misses(figure('', { ...within, rate: true, budget: { atLeast: 20 } }))).toBe(false)
    expect(misses(figure('', { ...within, rate: true, budget: { atLeast: 21 } }))).toBe(true)
    expect(misses(figure('', within))).toBe(false)
  })
})

describe('the table of a suite', () => {
  it('shows corrected values, those measured, and budgets, and marks what misses one', () => {
    expect(suiteTable(path).split('\n')).toEqual([
      'path: Path <&> more',
      '                      gateway   whole  records/s  slowness',
      '                           µs      µs        1/s     times',
      'requests & "records"     5.00  15.0 !    120,000      2.00',
      '  as measured            10.0    30.0     60,000',
      '  budget               ≤ 6.00  ≤ 12.0',
    ])
  })

  it('goes on below when it is too wide', () => {
    const figures = Array.from({ length: 20 }, (_, at) => figure(`figure ${at}`, { unit: 'ms', runs: [at] }))
    const lines = suiteTable({ ...path, cases: [{ name: 'wide', figures }] }).split('\n')

    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(118)
    for (const { name } of figures) expect(lines.filter((line) => line.includes(name))).not.toEqual([])
  })

  it('writes numbers with the digits that count', () => {
    expect([0, 1.234, 12.34, 123.4, 123_456, -45.67, Number.NaN].map(numberText)).toEqual([
      '0',
      '1.23',
      '12.3',
      '123',
      '123,456',
      '-45.7',
      '-',
    ])
  })
})

describe('the report', () => {
  it('says on what it was measured', () => {
    const report = makeReport({ runs: 5 }, [path])

    expect(report.machine.cores).toBeGreaterThan(0)
    expect(report.machine.node).toBe(process.version)
    expect(report.options).toEqual({ runs: 5 })
    expect(report.suites).toEqual([path])
  })

  it('is drawn as well-formed SVG, whatever names hold', () => {
    const svg = drawReport(makeReport({}, [path, other, memory]))

    expect(unclosedTags(svg)).toEqual([])
    expect(svg).toContain('Path &lt;&amp;&gt; more')
    expect(svg).not.toMatch(/NaN|Infinity|undefined/)
    expect(svg.match(/class="budget"/g)).toHaveLength(3)
    expect(svg).toMatch(/polyline class="line gateway" points="[\d., ]+"/)
    expect(svg).toContain('prefers-color-scheme: dark')
  })

  it('is drawn even when nothing was measured', () => {
    const svg = drawReport(makeReport({}, [{ suite: 'none', title: 'None', cases: [] }]))

    expect(unclosedTags(svg)).toEqual([])
    expect(svg).not.toMatch(/NaN|Infinity/)
  })
})

/** Tags without their other half, and text that XML does not allow. */
function unclosedTags(xml: string): string[] {
  const open: string[] = []
  const rest = xml.replaceAll(
    /<(\/?)(\w+)((?:\s+[\w-]+="[^"<&]*")*)\s*(\/?)>/g,
    (_, end, name, _a, alone) => {
      if (end === '/') {
        if (open.pop() !== name) open.push(`/${name}`)
      } else if (alone === '') open.push(name as string)
      return ''
    },
  )
  return [...open, ...(rest.match(/[<>]|&(?!(?:amp|lt|gt);)/g) ?? [])]
}
