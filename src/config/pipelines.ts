import { check } from './check.ts'
import { ConfigError } from './errors.ts'
import { suggestion } from './nearest.ts'
import { NAME, Pipeline } from './schema.ts'
import type { Source } from './source.ts'

/** A way that records take through the service. */
export interface PipelineConfig {
  /** `logs`, or `logs/gateway`. */
  readonly name: string
  /** Ids of receivers, and of connectors to read from. */
  readonly receivers: readonly string[]
  readonly processors: readonly string[]
  /** Ids of exporters, and of connectors to write to. */
  readonly exporters: readonly string[]
}

/** Checks the pipelines one by one and returns the usable ones. */
export function pipelinesOf(source: Source, section: Readonly<Record<string, unknown>>): PipelineConfig[] {
  const pipelines: PipelineConfig[] = []
  for (const [name, settings] of Object.entries(section)) {
    const path = ['service', 'pipelines', name]
    const problem = problemOfName(name)
    if (problem) source.report(path, problem, 'key')
    const checked = check(source, path, Pipeline, settings)
    if (checked) pipelines.push({ name, ...checked.value })
  }
  return pipelines
}

/** The pipelines of these names in the order of the file, or all of them without names. */
export function selectPipelines(
  config: { readonly pipelines: readonly PipelineConfig[] },
  names?: readonly string[],
): readonly PipelineConfig[] {
  if (names === undefined) return config.pipelines
  const known = config.pipelines.map(({ name }) => name)
  const issues = names
    .filter((name) => !known.includes(name))
    .map((name) => `unknown pipeline "${name}"${suggestion(name, known)}`)
  if (names.length === 0) issues.push('names no pipeline')
  if (issues.length > 0) {
    throw new ConfigError(
      issues.map((message) => ({ file: '--pipelines', line: 0, column: 0, path: '', message })),
    )
  }
  return config.pipelines.filter(({ name }) => names.includes(name))
}

function problemOfName(name: string): string | undefined {
  const [signal, ...rest] = name.split('/')
  if (['traces', 'metrics', 'profiles'].includes(signal)) return `Sluice carries logs only, not ${signal}`
  if (signal !== 'logs') return 'the name of a pipeline is "logs", or "logs/" and a name'
  if (rest.length === 0 || NAME.test(rest.join('/'))) return undefined
  return 'after the slash stand letters, digits, ".", "_" and "-" only'
}
