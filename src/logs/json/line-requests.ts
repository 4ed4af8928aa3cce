import { isUtf8 } from 'node:buffer'
import { L, readStructure } from '../structure.ts'
import { MalformedError, Request, ResourceLogs, ScopeLogs } from '../wire.ts'
import { WireWriter } from '../wire-writer.ts'
import { writeDocument, writeResource, writeScope } from './document.ts'
import { encodeJsonRequest } from './encode.ts'
import { JsonReader } from './reader.ts'

const RESOURCE_LOGS = /^resource_?logs$/i
const NOTHING = Buffer.alloc(0)

/** What the records that are being written have in common, as the text of their documents has it. */
interface Context {
  readonly resourceText: Buffer
  readonly scopeText: Buffer
  readonly resourceStart: number
  readonly scopeStart: number
}

/**
 * Puts lines of files together as one `ExportLogsServiceRequest`: documents of the mapping mode `otel`, and requests of
 * OTLP/JSON. Neighbours of the same resource and scope share them.
 */
export class LineRequests {
  #writer = new WireWriter(64 * 1024)
  readonly #record = new WireWriter()
  #context: Context | undefined
  /** Records added since the last `take`. */
  records = 0

  get byteLength(): number {
    return this.#writer.pos
  }

  /**
   * Adds the records of a line.
   * @throws MalformedError saying what is wrong with it; nothing of it was added then
   */
  add(line: Buffer): void {
    if (!isUtf8(line)) throw new MalformedError('not valid JSON: the text is not UTF-8')
    const reader = new JsonReader(line)
    if (reader.firstMember() && RESOURCE_LOGS.test(reader.text())) this.#addRequest(line)
    else this.#addDocument(line)
  }

  /** The request with all that was added. */
  take(): Buffer {
    this.#closeContext()
    this.records = 0
    return this.#writer.copyOut()
  }

  #addRequest(line: Buffer): void {
    const request = encodeJsonRequest(line)
    const { records } = readStructure(request)
    this.#closeContext()
    this.#writer.copy(request)
    this.records += records.length / L.STRIDE
  }

  #addDocument(line: Buffer): void {
    const reader = new JsonReader(line)
    this.#record.pos = 0
    const { resource, scope } = writeDocument(reader, this.#record)
    reader.finish()
    const resourceText = line.subarray(resource.start, resource.end)
    const scopeText = line.subarray(scope.start, scope.end)
    if (!this.#context?.resourceText.equals(resourceText)) this.#enterResource(resourceText, scopeText)
    else if (!this.#context.scopeText.equals(scopeText)) this.#enterScope(this.#context, scopeText)
    this.#writer.field(ScopeLogs.logRecords, this.#record.bytes, 0, this.#record.pos)
    this.records++
  }

  #enterResource(resourceText: Buffer, scopeText: Buffer): void {
    const resource = encodeContext(resourceText, writeResource)
    const scope = encodeContext(scopeText, writeScope)
    this.#closeContext()
    const resourceStart = this.#writer.openWide(Request.resourceLogs)
    this.#writer.field(ResourceLogs.resource, resource.message)
    if (resource.url !== '') this.#writer.text(ResourceLogs.schemaUrl, resource.url)
    this.#openScope({ resourceText: Buffer.from(resourceText), resourceStart }, scopeText, scope)
  }

  #enterScope(context: Context, scopeText: Buffer): void {
    const scope = encodeContext(scopeText, writeScope)
    this.#writer.closeWide(context.scopeStart)
    this.#openScope(context, scopeText, scope)
  }

  #openScope(
    { resourceText, resourceStart }: Pick<Context, 'resourceText' | 'resourceStart'>,
    scopeText: Buffer,
    { message, url }: { readonly message: Buffer; readonly url: string },
  ): void {
    const scopeStart = this.#writer.openWide(ResourceLogs.scopeLogs)
    this.#writer.field(ScopeLogs.scope, message)
    if (url !== '') this.#writer.text(ScopeLogs.schemaUrl, url)
    // Copies: the line may be part of a larger buffer that is used again.
    this.#context = { resourceText, resourceStart, scopeText: Buffer.from(scopeText), scopeStart }
  }

  #closeContext(): void {
    if (this.#context === undefined) return
    this.#writer.closeWide(this.#context.scopeStart)
    this.#writer.closeWide(this.#context.resourceStart)
    this.#context = undefined
  }
}

function encodeContext(
  text: Buffer,
  write: (reader: JsonReader, writer: WireWriter) => string,
): { readonly message: Buffer; readonly url: string } {
  if (text.length === 0) return { message: NOTHING, url: '' }
  const writer = new WireWriter()
  const url = write(new JsonReader(text), writer)
  return { message: writer.take(), url }
}
