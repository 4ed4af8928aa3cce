import { varintSize, writeVarint } from '../record/varint.ts'
import type { RecordQueue } from './queue.ts'
import type { Scope } from './sink.ts'
import { type Amount, add, type Tally } from './tally.ts'

/** A request: the same bytes go to the wire, to the disk and to the wire again. */
export interface Batch {
  /** An encoded `opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest`. */
  readonly bytes: Buffer
  readonly records: number
  readonly tally: Tally
}

/** A batch fresh from the queue. */
export interface NumberedBatch extends Batch {
  /** The number that its oldest record had in the queue. */
  readonly first: number
}

/** Tags of opentelemetry/proto/logs/v1/logs.proto, common.proto and collector/logs/v1/logs_service.proto. */
const RESOURCE_LOGS = 0x0a
const RESOURCE = 0x0a
const SCOPE_LOGS = 0x12
const SCOPE = 0x0a
const LOG_RECORDS = 0x12
const NAME = 0x0a
const VERSION = 0x12

/** Makes requests out of queued records: all of one resource, grouped by scope, in the order they came. */
export class BatchMaker {
  readonly #resource: Uint8Array
  readonly #scopes = new WeakMap<Scope, Buffer>()

  /** @param resource An encoded `opentelemetry.proto.resource.v1.Resource`. */
  constructor(resource: Uint8Array) {
    this.#resource = resource
  }

  /** Takes the oldest records out of a queue that is not empty. */
  take(queue: RecordQueue, maxRecords: number, maxBytes: number): NumberedBatch {
    const groups = new Map<Scope, Group>()
    const tally = new Map<number, Amount>()
    let records = 0
    let first = 0
    queue.take(maxRecords, maxBytes, (chunk, start, end, scope, severity, number) => {
      if (records++ === 0) first = number
      add(tally, severity, 1, end - start)
      let group = groups.get(scope)
      if (group === undefined) groups.set(scope, (group = new Group(this.#encoded(scope))))
      group.add(chunk, start, end)
    })
    return { bytes: this.#write([...groups.values()]), records, tally, first }
  }

  #write(groups: readonly Group[]): Buffer {
    let size = fieldSize(this.#resource.length)
    for (const group of groups) size += fieldSize(group.size)
    const bytes = Buffer.allocUnsafeSlow(fieldSize(size))
    let at = writeHead(bytes, 0, RESOURCE_LOGS, size)
    at = writeField(bytes, at, RESOURCE, this.#resource)
    for (const group of groups) {
      at = writeHead(bytes, at, SCOPE_LOGS, group.size)
      at = group.write(bytes, at)
    }
    return bytes
  }

  #encoded(scope: Scope): Buffer {
    let bytes = this.#scopes.get(scope)
    if (bytes === undefined) this.#scopes.set(scope, (bytes = encodeScope(scope)))
    return bytes
  }
}

/** The records of one scope: a `ScopeLogs` message. */
class Group {
  size: number
  readonly #scope: Buffer
  readonly #chunks: Buffer[] = []
  readonly #starts: number[] = []
  readonly #ends: number[] = []

  constructor(scope: Buffer) {
    this.#scope = scope
    this.size = fieldSize(scope.length)
  }

  add(chunk: Buffer, start: number, end: number): void {
    this.#chunks.push(chunk)
    this.#starts.push(start)
    this.#ends.push(end)
    this.size += fieldSize(end - start)
  }

  write(bytes: Buffer, from: number): number {
    let at = writeField(bytes, from, SCOPE, this.#scope)
    for (let i = 0; i < this.#chunks.length; i++) {
      const [start, end] = [this.#starts[i], this.#ends[i]]
      at = writeHead(bytes, at, LOG_RECORDS, end - start)
      at += this.#chunks[i].copy(bytes, at, start, end)
    }
    return at
  }
}

function encodeScope({ name, version = '' }: Scope): Buffer {
  const fields = [
    [NAME, Buffer.from(name)],
    [VERSION, Buffer.from(version)],
  ] as const
  const present = fields.filter(([, text]) => text.length > 0)
  const bytes = Buffer.alloc(present.reduce((sum, [, text]) => sum + fieldSize(text.length), 0))
  let at = 0
  for (const [tag, text] of present) at = writeField(bytes, at, tag, text)
  return bytes
}

/** Bytes that a length-delimited field takes whose tag is one byte. */
function fieldSize(length: number): number {
  return 1 + varintSize(length) + length
}

function writeHead(bytes: Buffer, at: number, tag: number, length: number): number {
  bytes[at] = tag
  return writeVarint(bytes, at + 1, length)
}

function writeField(bytes: Buffer, from: number, tag: number, value: Uint8Array): number {
  const at = writeHead(bytes, from, tag, value.length)
  bytes.set(value, at)
  return at + value.length
}
