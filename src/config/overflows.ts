import type { Configured, DefinitionOf } from './components.ts'
import { suggestion } from './nearest.ts'
import type { PipelineConfig } from './pipelines.ts'
import type { Source } from './source.ts'

/**
 * Which connector keeps what another does not take. An overflow belongs to one connector alone: no pipeline reads
 * or fills it.
 */
export function overflowsOf(
  source: Source,
  connectors: ReadonlyMap<string, Configured<DefinitionOf<'connector'>>>,
  pipelines: readonly PipelineConfig[],
): ReadonlyMap<string, string> {
  const able = [...connectors.values()].filter(({ definition }) => definition.isSpill).map(({ id }) => id)
  const overflows = new Map<string, string>()
  for (const { id, definition, config } of connectors.values()) {
    const overflow = definition.overflow?.(config)
    if (overflow === undefined) continue
    const owner = [...overflows].find(([, taken]) => taken === overflow)?.[0]
    const user = pipelines.find(({ receivers, exporters }) => [...receivers, ...exporters].includes(overflow))
    const problem = connectors.has(overflow)
      ? problemWith(overflow, { able: able.includes(overflow), owner, user: user?.name })
      : `connector "${overflow}" is not defined${suggestion(overflow, able)}`
    if (problem) source.report(['connectors', id, 'overflow'], problem)
    else overflows.set(id, overflow)
  }
  return overflows
}

function problemWith(
  id: string,
  { able, owner, user }: { able: boolean; owner: string | undefined; user: string | undefined },
): string | undefined {
  if (!able) return `"${id}" cannot keep what another connector does not take`
  if (owner !== undefined) return `"${id}" is the overflow of "${owner}" already: each needs one of its own`
  if (user !== undefined)
    return `"${id}" is used by pipeline "${user}": an overflow needs a connector of its own`
  return undefined
}
