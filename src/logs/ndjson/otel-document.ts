import type { BatchData } from '../data.ts'
import { kernel } from '../kernel/kernel.ts'
import type { Route } from './control.ts'
import { type DocumentOptions, Documents, type Target } from './documents.ts'
import type { JsonWriter } from './json-writer.ts'
import { KernelRecordJson } from './kernel-record-json.ts'
import type { Mapping } from './mapping.ts'
import { renderContext } from './otel-context.ts'
import { RecordJson } from './record-json.ts'
import type { TimestampStyle } from './timestamp.ts'

export type { DocumentSource, Target } from './documents.ts'

/** Documents of Elasticsearch's OTel mapping mode. */
export class OtelMapping implements Mapping {
  readonly #json: RecordJson
  #context: Buffer = Buffer.alloc(0)

  constructor(json: RecordJson = newRecordJson('epoch_millis')) {
    this.#json = json
  }

  begin(bytes: Buffer): void {
    this.#json.begin(bytes)
  }

  enterScope(data: BatchData, scope: number, out: JsonWriter): void {
    this.#context = renderContext(data, scope, out)
  }

  read(bytes: Buffer, start: number, end: number): boolean {
    return this.#json.read(bytes, start, end)
  }

  get room(): number {
    return this.#context.length
  }

  write(out: JsonWriter, dataStream: Buffer, receivedMs: number): number {
    return this.#json.write(out, dataStream, this.#context, receivedMs)
  }
}

export interface OtelDocumentOptions<T extends Target> extends Omit<DocumentOptions<T>, 'destination'> {
  readonly timestamps: TimestampStyle
  target(route: Route): T
}

/** Renders all documents in the OTel mapping mode. */
export class OtelDocuments<T extends Target> extends Documents<T> {
  constructor(options: OtelDocumentOptions<T>) {
    const mapping = new OtelMapping(newRecordJson(options.timestamps))
    super({ ...options, destination: (route) => ({ mapping, target: options.target(route) }) })
  }
}

function newRecordJson(timestamps: TimestampStyle): RecordJson {
  return kernel === undefined || timestamps !== 'epoch_millis'
    ? new RecordJson(timestamps)
    : new KernelRecordJson(kernel)
}
