import type { z } from 'zod'
import type { Configured } from './components.ts'
import { suggestion } from './nearest.ts'
import type { PipelineConfig } from './pipelines.ts'
import type { Service } from './schema.ts'
import type { Path, Source } from './source.ts'

/** Pipelines that run together, and in how many processes. */
export interface ProcessGroup {
  readonly pipelines: readonly string[]
  readonly count: number | 'auto'
}

type Written = z.output<typeof Service>['processes']

interface Graph {
  /** Every pipeline of the file by name, usable or not. */
  readonly names: readonly string[]
  readonly pipelines: readonly PipelineConfig[]
  readonly receivers: ReadonlyMap<string, Configured>
  readonly processors: ReadonlyMap<string, Configured>
  readonly exporters: ReadonlyMap<string, Configured>
  readonly connectors: ReadonlyMap<string, Configured>
  readonly overflows: ReadonlyMap<string, string>
}

const SECTION: Path = ['service', 'processes']

/** Checks `service.processes` and returns its groups: a number stands for one group of all pipelines. */
export function processGroupsOf(
  source: Source,
  written: Written,
  graph: Graph,
): readonly ProcessGroup[] | undefined {
  if (written === undefined) return undefined
  if (!Array.isArray(written)) {
    const groups = [{ pipelines: graph.names, count: written }]
    checkOneProcess(source, groups, graph, () => SECTION)
    return groups
  }
  if (!checkMembers(source, written, graph.names)) return written
  checkReceivers(source, written, graph)
  checkOneProcess(source, written, graph, (index, key) => [...SECTION, index, key])
  return written
}

/** Every pipeline is in exactly one group. */
function checkMembers(source: Source, groups: readonly ProcessGroup[], names: readonly string[]): boolean {
  const before = source.issues.length
  const places = new Map<string, number>()
  for (const [index, { pipelines }] of groups.entries()) {
    for (const [position, name] of pipelines.entries()) {
      const path = [...SECTION, index, 'pipelines', position]
      const other = places.get(name)
      if (!names.includes(name)) source.report(path, `unknown pipeline "${name}"${suggestion(name, names)}`)
      else if (other === index) source.report(path, `"${name}" is listed twice`)
      else if (other !== undefined) source.report(path, `"${name}" is in processes[${other}] already`)
      places.set(name, other ?? index)
    }
  }
  const missing = names.filter((name) => !places.has(name))
  if (missing.length > 0) source.report(SECTION, `no group runs ${missing.join(', ')}`)
  return source.issues.length === before
}

/** A receiver pushes to all of its pipelines, so they are in one process. */
function checkReceivers(
  source: Source,
  groups: readonly ProcessGroup[],
  { pipelines, receivers }: Graph,
): void {
  for (const id of receivers.keys()) {
    const readers = pipelines.filter((pipeline) => pipeline.receivers.includes(id)).map(({ name }) => name)
    const [, second] = groupsOf(groups, readers)
    if (second === undefined) continue
    const message = `receiver "${id}" pushes to ${readers.join(' and ')} alike: put them in one group`
    source.report([...SECTION, second, 'pipelines'], message)
  }
}

function checkOneProcess(
  source: Source,
  groups: readonly ProcessGroup[],
  graph: Graph,
  place: (group: number, key: 'pipelines' | 'count') => Path,
): void {
  const { pipelines, receivers, processors, exporters, connectors } = graph
  for (const section of [receivers, processors, exporters, connectors]) {
    for (const { id, definition } of section.values()) {
      if (definition.oneProcess === undefined) continue
      const users = pipelines.filter((pipeline) =>
        [...componentsOf(pipeline, definition.kind), ...overflowsAt(pipeline, graph)].includes(id),
      )
      const names = users.map(({ name }) => name)
      const [first, second] = groupsOf(groups, names)
      if (first === undefined || (second === undefined && groups[first].count === 1)) continue
      source.report(
        second === undefined ? place(first, 'count') : place(second, 'pipelines'),
        `${definition.kind} "${id}" works in one process only, ${definition.oneProcess}: ` +
          `put ${names.join(' and ')} in one group with count 1`,
      )
    }
  }
}

/** The groups that run any of these pipelines, by index. */
function groupsOf(groups: readonly ProcessGroup[], names: readonly string[]): number[] {
  return [...groups.keys()].filter((index) => groups[index].pipelines.some((name) => names.includes(name)))
}

/** Only a process that fills a connector has its overflow. */
function overflowsAt(pipeline: PipelineConfig, { overflows }: Graph): readonly string[] {
  return pipeline.exporters.flatMap((id) => overflows.get(id) ?? [])
}

function componentsOf(pipeline: PipelineConfig, kind: string): readonly string[] {
  if (kind === 'processor') return pipeline.processors
  if (kind === 'receiver') return pipeline.receivers
  if (kind === 'exporter') return pipeline.exporters
  return [...pipeline.receivers, ...pipeline.exporters]
}
