import { type Figure, figure } from '../figures.ts'
import { median } from '../statistics.ts'
import type { Overload, Second } from './run.ts'

/** The beginning and the end of a run, which are not steady. */
const WARM_UP_SECONDS = 5
const END_SECONDS = 2
/** A bulk takes a good part of a second: what swings over fewer seconds than this is chance. */
const WINDOW = 3

/** The seconds in which a drain had found its limit and a backlog still waited. */
export function steady({ seconds }: Overload): readonly Second[] {
  return seconds.slice(WARM_UP_SECONDS, -END_SECONDS)
}

/** Standard deviation over mean of what was delivered, in windows of a few seconds. */
export function variation(seconds: readonly Second[]): number {
  const sums: number[] = []
  for (let from = 0; from + WINDOW <= seconds.length; from += WINDOW) {
    sums.push(seconds.slice(from, from + WINDOW).reduce((sum, { delivered }) => sum + delivered, 0))
  }
  const mean = sums.reduce((sum, value) => sum + value, 0) / sums.length
  const variance = sums.reduce((sum, value) => sum + (value - mean) ** 2, 0) / sums.length
  return Math.sqrt(variance) / mean
}

/** What one run has shown; `records` were in the backlog. */
export function figuresOf(run: Overload, records: number): Figure[] {
  const seconds = steady(run)
  const medianOf = (of: (second: Second) => number): number => median(seconds.map(of))
  const meanOf = (of: (second: Second) => number): number =>
    seconds.reduce((sum, second) => sum + of(second), 0) / seconds.length
  const one = (name: string, unit: string, value: number): Figure => figure(name, { unit, runs: [value] })
  return [
    one(
      'records/s',
      '1/s',
      meanOf(({ delivered }) => delivered),
    ),
    one('variation', '%', variation(seconds) * 100),
    one(
      'limit',
      'requests',
      medianOf(({ limit }) => limit),
    ),
    one(
      'refused',
      '1/s',
      meanOf(({ refused }) => refused),
    ),
    one(
      'bulk',
      'ms',
      medianOf(({ latency }) => latency),
    ),
    one('CPU', 'µs/record', (run.cpuSeconds / records) * 1e6),
    one('lost', 'records', Math.max(0, records - run.indexed)),
    one('doubled', 'records', Math.max(0, run.indexed - records)),
  ]
}
