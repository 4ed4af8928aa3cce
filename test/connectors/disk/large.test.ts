import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { RUNTIME } from '../../servers/runtime.ts'
import { newFolder } from './harness.ts'

interface Said {
  /** Resident MiB over time. */
  readonly pushing: number[]
  readonly draining: number[]
  readonly drained: number
  readonly pushSeconds: number
  readonly drainSeconds: number
}

/** SLUICE_LARGE_MIB=3000 for a long run. */
const MIB = Number(process.env.SLUICE_LARGE_MIB ?? 300)
/** What a process of this kind takes while it works, however much is in its buffer. */
const MOST_MIB = 350
const MOST_GROWTH_MIB = 60

const most = (values: readonly number[]): number => Math.max(...values)
/** What it takes at most in the last third, beyond the most before. */
const growth = (values: readonly number[]): number =>
  most(values.slice(-values.length / 3)) - most(values.slice(0, (-values.length / 3) | 0))

it(`a buffer of ${MIB} MiB takes no more memory than a small one`, { timeout: 900_000 }, () => {
  const script = join(import.meta.dirname, 'fixtures/large.ts')

  const out = execFileSync(process.execPath, [...RUNTIME.flags, script, newFolder(), String(MIB)], {
    encoding: 'utf8',
    env: { ...process.env, ...RUNTIME.env },
  })
  const { pushing, draining, drained, pushSeconds, drainSeconds } = JSON.parse(out) as Said
  const rounded = (value: number): string => value.toFixed(0)
  console.log(
    `${MIB} MiB: RSS at most ${rounded(most(pushing))} MiB while pushed (${rounded(MIB / pushSeconds)} MiB/s), ` +
      `${rounded(most(draining))} MiB while drained (${rounded(MIB / drainSeconds)} MiB/s)`,
  )

  expect(drained).toBe(MIB)
  expect(most([...pushing, ...draining])).toBeLessThan(MOST_MIB)
  expect(growth(pushing)).toBeLessThan(MOST_GROWTH_MIB)
  expect(growth(draining)).toBeLessThan(MOST_GROWTH_MIB)
})
