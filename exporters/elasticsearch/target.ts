import type { Route } from '../../src/logs/ndjson/control.ts'
import type { Target } from '../../src/logs/ndjson/otel-document.ts'

/** A data stream or index, with the pieces of the action line around an id. */
export interface IndexTarget extends Target {
  readonly index: string
  readonly actionHead: Buffer
  readonly actionTail: Buffer
}

/** Elasticsearch allows 100 bytes for each part of a data stream's name; the suffix counts. */
const MAX_PART = 100
const OTEL_SUFFIX = '.otel'
const NOT_IN_NAMES = /[\\/*?"<>| ,#:]/g
const MAX_CACHED = 1000

/**
 * Names where documents go, as the Collector's exporter does: a fixed index, an `elasticsearch.index`
 * attribute, or the data stream `logs-<dataset>.otel-<namespace>`. Names out of attributes are cleaned, so
 * that no input reaches an index it may not name.
 */
export class Targets {
  readonly #fixed: IndexTarget | undefined
  readonly #cache = new Map<string, IndexTarget>()

  constructor(fixedIndex: string | undefined) {
    this.#fixed = fixedIndex === undefined ? undefined : makeTarget(fixedIndex, false, '')
  }

  of({ index, dataset = 'generic', namespace = 'default' }: Route): IndexTarget {
    if (this.#fixed !== undefined) return this.#fixed
    const key = `${index ?? ''}\0${dataset}\0${namespace}`
    let target = this.#cache.get(key)
    if (target === undefined) {
      target =
        index === undefined
          ? dataStream(dataset, namespace)
          : makeTarget(clean(index, MAX_PART * 2), false, '')
      if (this.#cache.size >= MAX_CACHED) this.#cache.clear()
      this.#cache.set(key, target)
    }
    return target
  }
}

function dataStream(dataset: string, namespace: string): IndexTarget {
  const set = clean(dataset, MAX_PART - OTEL_SUFFIX.length).replaceAll('-', '_') + OTEL_SUFFIX
  const space = clean(namespace, MAX_PART)
  const fields = `,"data_stream":{"type":"logs","dataset":${JSON.stringify(set)},"namespace":${JSON.stringify(space)}}`
  return makeTarget(`logs-${set}-${space}`, true, fields)
}

function makeTarget(index: string, isDataStream: boolean, fields: string): IndexTarget {
  return {
    index,
    dataStream: Buffer.from(fields),
    actionHead: Buffer.from(`{"create":{"_index":${JSON.stringify(index)},"_id":"`),
    actionTail: Buffer.from(isDataStream ? '","require_data_stream":true}}\n' : '"}}\n'),
  }
}

/** Lower case, without the characters that names of indices may not have, nor the ones they may not begin with. */
function clean(name: string, maxBytes: number): string {
  let cleaned = name
    .toLowerCase()
    .replace(NOT_IN_NAMES, '_')
    .replace(/^[-_+.]+/, '')
  while (Buffer.byteLength(cleaned) > maxBytes) cleaned = cleaned.slice(0, -1)
  return cleaned === '' ? 'unknown' : cleaned
}
