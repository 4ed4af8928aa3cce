import { createDiagnostics } from '../diagnostics.ts'
import { thresholdOf } from '../logger/levels.ts'
import { DETECTORS } from '../record/redact/detectors.ts'
import { parsePath } from '../record/redact/paths.ts'
import type { SpillOptions } from '../spill/options.ts'
import { resolveDestination } from './destination.ts'
import type { LoggerOptions, RedactOptions } from './options.ts'
import { parsePairs } from './pairs.ts'
import type { Limits, PipeSettings, RedactionSettings, ResourceSettings, Settings } from './settings.ts'
import { type Environment, Source } from './source.ts'

const MIB = 1024 * 1024
const DEFAULT_CENSOR = '[Redacted]'
const UNKNOWN_SERVICE = 'unknown_service:node'

/** Resolves all settings. Never throws: what is wrong is told of in a line of its own, and the default is used. */
export function resolveSettings(options: LoggerOptions, environment: Environment): Settings {
  const write = options.diagnostics
  const diagnostics = createDiagnostics(typeof write === 'function' ? write : undefined)
  const source = new Source(environment, diagnostics)
  const resource = resolveResource(options, source)
  const name =
    source.text({ name: 'name', value: options.name }) ?? String(resource.attributes['service.name'])
  return {
    disabled: source.flag({ name: 'disabled', value: undefined }, ['OTEL_SDK_DISABLED'], false),
    logger: {
      name,
      version: source.text({ name: 'version', value: options.version }),
      threshold: resolveThreshold(options, source),
      diagnostics,
    },
    record: {
      limits: resolveLimits(options, source),
      redaction: resolveRedaction(options, source),
      uid: source.flag({ name: 'uid', value: options.uid }, [], true),
      code: source.flag({ name: 'code', value: options.code }, [], false),
    },
    resource,
    pipe: { ...resolvePipe(options, source), diagnostics },
  }
}

function resolveThreshold(options: LoggerOptions, source: Source): number {
  const threshold = thresholdOf(options.level ?? 'info')
  if (threshold !== undefined) return threshold
  source.reject('option level', 'is no level: using info')
  return thresholdOf('info') as number
}

function resolveResource(options: LoggerOptions, source: Source): ResourceSettings {
  const variable = source.variable('OTEL_RESOURCE_ATTRIBUTES')
  const environment = variable === undefined ? {} : parsePairs(variable)
  if (environment === undefined)
    source.reject('OTEL_RESOURCE_ATTRIBUTES', 'is not key=value,key=value: leaving it out')
  const own = {
    'service.name': source.text({ name: 'service', value: options.service }, ['OTEL_SERVICE_NAME']),
    'service.version': options.version,
    'service.namespace': options.namespace,
    'service.instance.id': options.instanceId,
    'deployment.environment.name': options.environment,
  }
  const given = Object.entries(own).filter(([, value]) => value !== undefined)
  return {
    attributes: {
      'service.name': UNKNOWN_SERVICE,
      ...environment,
      ...options.resource,
      ...Object.fromEntries(given),
    },
    detect: source.flag({ name: 'detectResource', value: options.detectResource }, [], true),
  }
}

/** Attribute limits of the specification: those of log records count more than those of all signals. */
function resolveLimits({ limits = {} }: LoggerOptions, source: Source): Limits {
  const limit = (
    name: keyof Limits,
    names: readonly string[],
    least: number,
    fallback: number,
    most?: number,
  ) =>
    source.number(
      { name: `limits.${name}`, value: limits[name] },
      names,
      most === undefined ? { least } : { least, most },
      fallback,
    )
  const recordBytes = limit('recordBytes', [], 4096, 256 * 1024, 16 * MIB)
  const valueNames = ['OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT', 'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT']
  const countNames = ['OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT', 'OTEL_ATTRIBUTE_COUNT_LIMIT']
  return {
    attributes: limit('attributes', countNames, 0, 128),
    // No text is longer than the record that holds it.
    valueLength: Math.min(limit('valueLength', valueNames, 0, 32 * 1024), recordBytes),
    bodyLength: Math.min(limit('bodyLength', [], 0, 64 * 1024), recordBytes),
    depth: limit('depth', [], 1, 8, 32),
    elements: limit('elements', [], 1, 1000, 100_000),
    recordBytes,
  }
}

function resolveRedaction({ redact = [] }: LoggerOptions, source: Source): RedactionSettings {
  const own: RedactOptions = isList(redact) ? { paths: redact } : redact
  const paths = (own.paths ?? []).filter((path) => {
    const isPath = typeof path === 'string' && parsePath(path) !== undefined
    if (!isPath) source.reject('option redact', `has a path that is none (${String(path)}): leaving it out`)
    return isPath
  })
  const detectors = (own.detectors ?? []).filter((name) => {
    const isKnown = DETECTORS.includes(name)
    if (!isKnown)
      source.reject('option redact.detectors', `has none of ${DETECTORS.join(', ')}: leaving it out`)
    return isKnown
  })
  return { paths, censor: own.remove === true ? undefined : (own.censor ?? DEFAULT_CENSOR), detectors }
}

const isList = (value: unknown): value is readonly string[] => Array.isArray(value)

function resolvePipe(options: LoggerOptions, source: Source): Omit<PipeSettings, 'diagnostics'> {
  const { batch = {}, queue = {}, retry = {}, onDrop } = options
  const number = (name: string, value: unknown, names: readonly string[], least: number, fallback: number) =>
    source.number({ name, value }, names, { least }, fallback)
  const spill = resolveSpill(options, source)
  const overflow =
    source.choice({ name: 'queue.overflow', value: queue.overflow }, [], ['drop', 'spill']) ??
    (spill === undefined ? 'drop' : 'spill')
  return {
    destination: resolveDestination(options, source),
    batch: {
      maxRecords: number('batch.maxRecords', batch.maxRecords, ['OTEL_BLRP_MAX_EXPORT_BATCH_SIZE'], 1, 512),
      maxBytes: number('batch.maxBytes', batch.maxBytes, [], 1024, MIB),
      delayMillis: number('batch.delayMillis', batch.delayMillis, ['OTEL_BLRP_SCHEDULE_DELAY'], 0, 1000),
    },
    queue: {
      maxBytes: number('queue.maxBytes', queue.maxBytes, [], 4096, 32 * MIB),
      maxRecords: number(
        'queue.maxRecords',
        queue.maxRecords,
        ['OTEL_BLRP_MAX_QUEUE_SIZE'],
        1,
        Number.POSITIVE_INFINITY,
      ),
      overflow: spill === undefined ? 'drop' : overflow,
    },
    retry: {
      initialMillis: number('retry.initialMillis', retry.initialMillis, [], 1, 1000),
      maxMillis: number('retry.maxMillis', retry.maxMillis, [], 1, 30_000),
      budgetMillis: number(
        'retry.budgetMillis',
        retry.budgetMillis,
        ['OTEL_BLRP_EXPORT_TIMEOUT'],
        0,
        300_000,
      ),
    },
    spill,
    exitHooks: source.flag({ name: 'exitHooks', value: options.exitHooks }, [], true),
    flushTimeoutMillis: number('flushTimeoutMillis', options.flushTimeoutMillis, [], 0, 30_000),
    onDrop: typeof onDrop === 'function' ? onDrop : undefined,
    meterProvider: options.meterProvider,
  }
}

function resolveSpill({ spill }: LoggerOptions, source: Source): SpillOptions | undefined {
  if (spill === undefined) return undefined
  const own = typeof spill === 'string' ? { directory: spill } : spill
  const directory = source.text({ name: 'spill.directory', value: own.directory ?? '' })
  if (directory === undefined) return undefined
  const { maxBytes, windowMillis, sync } = own
  return {
    directory,
    maxBytes: source.number({ name: 'spill.maxBytes', value: maxBytes }, [], { least: 64 * 1024 }, 256 * MIB),
    windowMillis: source.number({ name: 'spill.windowMillis', value: windowMillis }, [], { least: 0 }, 1000),
    sync: source.flag({ name: 'spill.sync', value: sync }, [], false),
  }
}
