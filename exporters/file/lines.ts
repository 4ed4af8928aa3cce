import type { Rejection } from '../../src/component.ts'
import type { LogBatch } from '../../src/logs/batch.ts'
import { OtlpJsonLines } from '../../src/logs/json/lines.ts'
import { JsonWriter } from '../../src/logs/ndjson/json-writer.ts'
import { OtelDocuments } from '../../src/logs/ndjson/otel-document.ts'
import type { FileConfig } from './config.ts'
import type { PathTemplate } from './path-template.ts'

const TARGET = { dataStream: Buffer.alloc(0) }
const INITIAL_BYTES = 1024 * 1024

/** What a batch becomes. */
export interface Rendered {
  /** Lines by path. */
  readonly lines: ReadonlyMap<string, readonly Buffer[]>
  /** Which records are in them, by path. */
  readonly records: ReadonlyMap<string, readonly number[]>
  readonly rejected: readonly Rejection[]
}

/** Renders a batch in the format of the settings. */
export function renderLines(batch: LogBatch, template: PathTemplate, format: FileConfig['format']): Rendered {
  const out = new JsonWriter(Math.max(INITIAL_BYTES, batch.byteLength * 2))
  const collected = new Collected()
  if (format === 'ndjson') renderDocuments(batch, template, collected, out)
  else renderRequests(batch, template, collected, out)
  return collected.take(out)
}

function renderDocuments(
  batch: LogBatch,
  template: PathTemplate,
  collected: Collected,
  out: JsonWriter,
): void {
  const pathOf = template.of(batch.data)
  let start = 0
  const documents = new OtelDocuments({
    timestamps: 'rfc3339',
    target: () => TARGET,
    after({ record, scope, timeMs }) {
      const path = pathOf(record, scope, timeMs)
      collected.record(path, record)
      collected.lines(path, start, out.pos)
      start = out.pos
    },
    failed: (record, error) => collected.failed(record, error),
  })
  documents.render(batch, out)
}

function renderRequests(
  batch: LogBatch,
  template: PathTemplate,
  collected: Collected,
  out: JsonWriter,
): void {
  const pathOf = template.of(batch.data)
  const requests = new OtlpJsonLines({
    key({ record, scope, timeMs }) {
      const path = pathOf(record, scope, timeMs)
      collected.record(path, record)
      return path
    },
    line: (path, start, end) => collected.lines(path, start, end),
    failed: (record, error) => collected.failed(record, error),
  })
  requests.render(batch, out)
}

/** Ranges of the output by path; they become buffers once the output grows no more. */
class Collected {
  readonly #ranges: { readonly path: string; readonly start: number; end: number }[] = []
  readonly #records = new Map<string, number[]>()
  readonly #rejected: Rejection[] = []

  record(path: string, record: number): void {
    const known = this.#records.get(path)
    if (known === undefined) this.#records.set(path, [record])
    else known.push(record)
  }

  lines(path: string, start: number, end: number): void {
    const last = this.#ranges.at(-1)
    if (last !== undefined && last.path === path && last.end === start) last.end = end
    else this.#ranges.push({ path, start, end })
  }

  failed(record: number, error: Error): void {
    for (const records of this.#records.values()) if (records.at(-1) === record) records.pop()
    this.#rejected.push({ records: [record], reason: `not a valid record: ${error.message}` })
  }

  take(out: JsonWriter): Rendered {
    const lines = new Map<string, Buffer[]>()
    for (const { path, start, end } of this.#ranges) {
      const part = out.bytes.subarray(start, end)
      const known = lines.get(path)
      if (known === undefined) lines.set(path, [part])
      else known.push(part)
    }
    return { lines, records: this.#records, rejected: this.#rejected }
  }
}
