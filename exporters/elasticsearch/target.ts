import type { Route } from '../../src/logs/ndjson/control.ts'
import type { Target } from '../../src/logs/ndjson/documents.ts'
import { type MappingMode, UnfitError } from '../../src/logs/ndjson/mapping.ts'
import { formatDate } from './date-format.ts'
import { dataStreamPart, datasetPart, indexName } from './names.ts'

/** A data stream or index, with the pieces of the action line around an id. */
export interface IndexTarget extends Target {
  readonly index: string
  /** Documents are refused where no template makes it a data stream. */
  readonly mustBeDataStream: boolean
  /** Up to the index. */
  readonly actionHead: Buffer
  /** From after the id to the end of the line. */
  readonly actionTail: Buffer
}

export interface TargetOptions {
  /** Where everything goes, whatever attributes say. */
  readonly index?: string | undefined
  /** Adds the date of receipt to every name. */
  readonly logstash?: { readonly prefix_separator: string; readonly date_format: string } | undefined
  /** Attributes may name an ingest pipeline. */
  readonly pipelines?: boolean
}

const MAX_CACHED = 1000
/** Attributes may be long. */
const MAX_KEY = 2000
const OTEL_SUFFIX = '.otel'
const TYPES: readonly string[] = ['logs', 'metrics']

/**
 * Names where documents go, as the Collector's exporter does: a fixed index, an `elasticsearch.index` attribute, or
 * the data stream `logs-<dataset>-<namespace>`. Names out of attributes are cleaned, so that no input reaches an
 * index it may not name.
 */
export class Targets {
  readonly #options: TargetOptions
  readonly #cache = new Map<string, IndexTarget>()
  #asksForDataStreams = true

  constructor(options: TargetOptions = {}) {
    this.#options = options
  }

  /** Whether documents say that they may only go to data streams, which OpenSearch and old servers do not understand. */
  get asksForDataStreams(): boolean {
    return this.#asksForDataStreams
  }

  /** Asks no more. Without a template, documents end up in an index that the server makes up. */
  askNoMoreForDataStreams(): void {
    this.#asksForDataStreams = false
    this.#cache.clear()
  }

  /** Throws `UnfitError` for a type that no data stream of logs has. */
  of(route: Route, mode: MappingMode, receivedMs: number): IndexTarget {
    const { logstash, pipelines } = this.#options
    const date = logstash === undefined ? '' : formatDate(logstash.date_format, receivedMs)
    const pipeline = pipelines ? (route.pipeline ?? '') : ''
    const { index, dataset, scopeDataset, namespace, type } = route
    const key = JSON.stringify([mode, date, pipeline, index, dataset ?? scopeDataset, namespace, type])
    let target = this.#cache.get(key)
    if (target === undefined) {
      target = this.#make(route, mode, date, pipeline)
      if (this.#cache.size >= MAX_CACHED) this.#cache.clear()
      if (key.length <= MAX_KEY) this.#cache.set(key, target)
    }
    return target
  }

  #make(route: Route, mode: MappingMode, date: string, pipeline: string): IndexTarget {
    const { index: fixed, logstash } = this.#options
    const suffix = logstash === undefined ? '' : logstash.prefix_separator + date
    const named = fixed ?? (route.index === undefined ? undefined : indexName(route.index))
    if (named !== undefined) return makeTarget(named + suffix, pipeline, '', false)
    const type = mode === 'bodymap' ? (route.type ?? 'logs') : 'logs'
    if (!TYPES.includes(type))
      throw new UnfitError('data_stream_type', 'data_stream.type is neither logs nor metrics')
    const dataset = datasetPart(
      route.dataset ?? route.scopeDataset ?? 'generic',
      mode === 'otel' ? OTEL_SUFFIX : '',
    )
    const namespace = dataStreamPart(route.namespace ?? 'default')
    const name = `${type}-${dataset}-${namespace}`
    if (suffix !== '') return makeTarget(name + suffix, pipeline, '', false)
    const fields = dataStreamFields(mode, { type, dataset, namespace })
    const mustBeDataStream = mode === 'otel' || mode === 'ecs'
    return makeTarget(name, pipeline, fields, mustBeDataStream, this.#asksForDataStreams)
  }
}

function makeTarget(
  index: string,
  pipeline: string,
  fields: string,
  mustBeDataStream: boolean,
  asks = false,
): IndexTarget {
  const tail = [
    pipeline === '' ? '' : `,"pipeline":${JSON.stringify(pipeline)}`,
    mustBeDataStream && asks ? ',"require_data_stream":true' : '',
    '}}\n',
  ]
  return {
    index,
    mustBeDataStream,
    dataStream: Buffer.from(fields),
    actionHead: Buffer.from(`{"create":{"_index":${JSON.stringify(index)}`),
    actionTail: Buffer.from(tail.join('')),
  }
}

/** The members of a document that tell of its data stream, after a comma. */
function dataStreamFields(mode: MappingMode, fields: Readonly<Record<string, string>>): string {
  if (mode === 'bodymap') return ''
  if (mode === 'otel' || mode === 'ecs') return `,"data_stream":${JSON.stringify(fields)}`
  const prefix = mode === 'none' ? 'Attributes.data_stream.' : 'data_stream.'
  const members = Object.entries(fields).map(
    ([name, value]) => `,${JSON.stringify(prefix + name)}:${JSON.stringify(value)}`,
  )
  return members.join('')
}
