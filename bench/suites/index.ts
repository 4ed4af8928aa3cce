import { hop } from './hop.ts'
import { latency } from './latency.ts'
import { memory } from './memory.ts'
import { overload } from './overload.ts'
import * as path from './path.ts'
import { render } from './render.ts'
import { scaling } from './scaling.ts'
import { start } from './start.ts'
import type { Suite } from './suite.ts'
import { tenants } from './tenants.ts'

/** In the order they run. */
export const suites: readonly Suite[] = [
  path.budgets,
  path.batches,
  path.sizes,
  path.redaction,
  path.compression,
  path.modes,
  path.transport,
  path.buffer,
  path.connections,
  hop,
  render,
  start,
  scaling,
  latency,
  memory,
  overload,
  tenants,
]

/** The suites of these names, in their order. Throws when there is no such suite. */
export function suitesNamed(names: readonly string[]): Suite[] {
  const unknown = names.find((name) => !suites.some((suite) => suite.name === name))
  if (unknown !== undefined) {
    throw new Error(`there is no suite "${unknown}"; there are ${suites.map(({ name }) => name).join(', ')}`)
  }
  return suites.filter(({ name }) => names.includes(name))
}
