import { describe, expect, it } from 'vitest'
import { parseCommandLine } from '../../bench/options.ts'
import { suites } from '../../bench/suites/index.ts'
import { fullLoad } from '../../bench/suites/suite.ts'

const suiteNames = (...args: string[]): string[] =>
  parseCommandLine(args)?.suites.map(({ name }) => name) ?? []

describe('the command line of the bench', () => {
  it('measures the whole path once when nothing is said', () => {
    const quick = parseCommandLine([])

    expect(suiteNames()).toEqual(['budgets'])
    expect(quick?.options).toMatchObject({ seconds: 15, runs: 1, records: [500, 20] })
  })

  it('takes medians of five runs of everything with --full', () => {
    expect(suiteNames('--full')).toEqual(suites.map(({ name }) => name))
    expect(parseCommandLine(['--full'])?.options).toMatchObject({ runs: 5, memoryMinutes: 10 })
  })

  it('runs the suites that are named, in their own order', () => {
    expect(suiteNames('--suite', 'latency,budgets')).toEqual(['budgets', 'latency'])
  })

  it.each([
    [['--suite', 'latencies'], 'there is no suite "latencies"; there are budgets, '],
    [['--runs', '0'], '--runs is "0"; expected'],
    [['--records', '500,x'], '--records is "x"; expected'],
    [['--update'], '--update goes with --gate'],
    [['--fast'], "Unknown option '--fast'"],
  ])('refuses %j and says why', (args, message) => {
    expect(() => parseCommandLine(args)).toThrow(message)
  })

  it('gives nothing to run when help is asked for', () => {
    expect(parseCommandLine(['--help'])).toBeUndefined()
  })
})

describe('full load', () => {
  it.each([
    [500, 1300, 4],
    [2000, 1300, 4],
    [100, 1300, 20],
    [1, 1300, 25],
    [50, 16_384, 4],
  ])(
    'with %i records of %i bytes keeps %i requests under way on a connection',
    (records, bytes, inflight) => {
      expect(fullLoad({ connections: 4, inflight: 4 }, records, bytes).inflight).toBe(inflight)
    },
  )
})
