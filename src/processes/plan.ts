import { availableParallelism } from 'node:os'
import type { ServiceConfig } from '../config/config.ts'
import { type PipelineConfig, selectPipelines } from '../config/pipelines.ts'

/** One process that is to run. */
export interface PlannedProcess {
  /** `gateway-1`: in the log, in metrics and in the health answer. */
  readonly name: string
  /** `gateway`: the processes of a group run the same pipelines. */
  readonly group: string
  readonly pipelines: readonly string[]
  /** Those of a lower rank feed those of a higher one, and stop before them. */
  readonly rank: number
}

/** The processes that `service.processes` asks for, of the named pipelines or of all. Throws a `ConfigError` for unknown names. */
export function planProcesses(config: ServiceConfig, names?: readonly string[]): PlannedProcess[] {
  const selected = selectPipelines(config, names).map(({ name }) => name)
  const groups = (config.processes ?? [])
    .map(({ pipelines, count }) => ({
      pipelines: selected.filter((name) => pipelines.includes(name)),
      count,
    }))
    .filter(({ pipelines }) => pipelines.length > 0)
  return groups.flatMap(({ pipelines, count }) => {
    const group = nameOf(pipelines, selected)
    const rank = Math.min(...pipelines.map((name) => distance(name, config.pipelines)))
    const size = count === 'auto' ? availableParallelism() : count
    return Array.from({ length: size }, (_, i) => ({ name: `${group}-${i + 1}`, group, pipelines, rank }))
  })
}

/** `gateway`, `gateway+drain`, or `all` for a group of everything. No pipeline has a plus in its name. */
function nameOf(pipelines: readonly string[], selected: readonly string[]): string {
  if (pipelines.length > 1 && pipelines.length === selected.length) return 'all'
  // "logs/logs" keeps its whole name, or it could be taken for "logs".
  return pipelines.map((name) => name.replace(/^logs\/(?!logs$)/, '')).join('+')
}

/** How many buffers lie between where records come in and this pipeline. */
function distance(name: string, pipelines: readonly PipelineConfig[]): number {
  const sources = pipelines.find((pipeline) => pipeline.name === name)?.receivers ?? []
  const feeders = pipelines.filter(({ exporters }) => exporters.some((id) => sources.includes(id)))
  return Math.max(0, ...feeders.map((feeder) => 1 + distance(feeder.name, pipelines)))
}
