import { suggestion } from './nearest.ts'
import type { PipelineConfig } from './pipelines.ts'
import type { Kind } from './schema.ts'
import type { Path, Source } from './source.ts'

/** The ids that each section of a file defines, usable or not. */
export type DefinedIds = Readonly<Record<Kind, readonly string[]>>

const SOURCES: readonly Kind[] = ['receiver', 'connector']
const PROCESSORS: readonly Kind[] = ['processor']
const DESTINATIONS: readonly Kind[] = ['exporter', 'connector']

/** Checks that what the service names is defined, and that the pipelines make sense together. */
export function checkReferences(
  source: Source,
  defined: DefinedIds,
  pipelines: readonly PipelineConfig[],
  extensions: readonly string[],
): void {
  checkAmbiguity(source, defined)
  checkList(source, defined, ['service', 'extensions'], extensions, ['extension'])
  for (const pipeline of pipelines) {
    const path = ['service', 'pipelines', pipeline.name]
    checkList(source, defined, [...path, 'receivers'], pipeline.receivers, SOURCES)
    checkList(source, defined, [...path, 'processors'], pipeline.processors, PROCESSORS)
    checkList(source, defined, [...path, 'exporters'], pipeline.exporters, DESTINATIONS)
  }
  checkCycles(source, defined.connector, pipelines)
}

/**
 * Checks that each connector is both filled and read, and warns of what neither a pipeline nor the service names.
 * Wants all pipelines; `named` are the ids that stand elsewhere.
 */
export function checkUse(
  source: Source,
  defined: DefinedIds,
  pipelines: readonly PipelineConfig[],
  named: readonly string[],
): void {
  const read = new Set(pipelines.flatMap(({ receivers }) => receivers))
  const filled = new Set(pipelines.flatMap(({ exporters }) => exporters))
  const used = new Set([...read, ...filled, ...pipelines.flatMap(({ processors }) => processors), ...named])

  for (const [kind, ids] of Object.entries(defined)) {
    for (const id of ids) if (!used.has(id)) source.warn([`${kind}s`, id], 'defined, but not used')
  }
  for (const id of defined.connector) {
    if (read.has(id) === filled.has(id)) continue
    source.report(
      ['connectors', id],
      filled.has(id)
        ? 'filled, but never emptied: name it among the receivers of a pipeline too'
        : 'read, but never filled: name it among the exporters of a pipeline too',
      'key',
    )
  }
}

function checkAmbiguity(source: Source, defined: DefinedIds): void {
  for (const kind of ['receiver', 'exporter'] as const) {
    for (const id of defined.connector) {
      if (!defined[kind].includes(id)) continue
      source.report(
        ['connectors', id],
        `there is also ${article(kind)} "${id}": give one another name`,
        'key',
      )
    }
  }
}

function checkList(
  source: Source,
  defined: DefinedIds,
  path: Path,
  ids: readonly string[],
  kinds: readonly Kind[],
): void {
  const known = kinds.flatMap((kind) => defined[kind])
  for (const [index, id] of ids.entries()) {
    const at = [...path, index]
    if (ids.indexOf(id) < index) source.report(at, `"${id}" is listed twice`)
    else if (!known.includes(id)) source.report(at, explainUnknown(id, defined, kinds, known))
  }
}

function explainUnknown(
  id: string,
  defined: DefinedIds,
  kinds: readonly Kind[],
  known: readonly string[],
): string {
  const wanted = kinds.join(' or ')
  for (const kind of Object.keys(defined) as Kind[]) {
    if (defined[kind].includes(id)) return `"${id}" is ${article(kind)}, expected ${article(wanted)}`
  }
  return `${wanted} "${id}" is not defined${suggestion(id, known)}`
}

function checkCycles(
  source: Source,
  connectors: readonly string[],
  pipelines: readonly PipelineConfig[],
): void {
  const finished = new Set<PipelineConfig>()

  const follow = (pipeline: PipelineConfig, way: readonly (PipelineConfig | string)[]): void => {
    if (finished.has(pipeline)) return
    for (const [index, id] of pipeline.exporters.entries()) {
      if (!connectors.includes(id)) continue
      const wayOn = [...way, pipeline, id]
      for (const next of pipelines.filter(({ receivers }) => receivers.includes(id))) {
        const start = wayOn.indexOf(next)
        if (start === -1) {
          follow(next, wayOn)
          continue
        }
        const circle = [...wayOn.slice(start), next].map((stop) =>
          typeof stop === 'string' ? stop : stop.name,
        )
        source.report(
          ['service', 'pipelines', pipeline.name, 'exporters', index],
          `records would go in a circle: ${circle.join(' → ')}`,
        )
      }
    }
    finished.add(pipeline)
  }
  for (const pipeline of pipelines) follow(pipeline, [])
}

function article(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`
}
