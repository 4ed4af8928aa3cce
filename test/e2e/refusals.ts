import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { deadLetterTemplate } from '../../exporters/elasticsearch/dead-letter-template.ts'
import { encodeJsonRequest } from '../../src/logs/json/encode.ts'
import { freePort } from '../servers/ports.ts'
import { startRedis } from '../servers/redis.ts'
import { MAIN } from '../servers/runtime.ts'
import { postUntilAccepted } from './client.ts'
import { DataStream } from './search.ts'
import { eventually, type Sluice, startSluice } from './sluice.ts'

const exec = promisify(execFile)
const REQUESTS = 4
export const RECORDS = 40
export const ALL = REQUESTS * RECORDS
export const SECRET = 'hunter2'
/** Would lead astray who looked for the name of the field behind the value. */
export const WORD = `${SECRET} at field [${SECRET}]`
export const REASON = '400 document_parsing_exception at field attributes.status of type long'

export const mapping = (type: string): object => ({ attributes: { properties: { status: { type } } } })

/** A letter as `sluice dlq ls --json` shows it. */
export interface Listed {
  readonly id: string
  readonly records: number
  readonly pipeline: string
  readonly reason: string
}

export interface RefusalOptions {
  readonly url: string
  readonly buffer: 'disk' | 'redis'
  /** Whether the exporter keeps dead letters in a data stream. */
  readonly inStream: boolean
  /** Whether that has its index template; true when absent. */
  readonly hasTemplate?: boolean
}

/** A whole path into a real Elasticsearch that refuses half of the records, for the type of one field. */
export class Refusals implements AsyncDisposable {
  readonly stream: DataStream
  readonly letterStream: string
  readonly sluice: Sluice
  readonly #url: string
  readonly #http: number
  readonly #started: AsyncDisposableStack

  private constructor(
    stream: DataStream,
    letterStream: string,
    sluice: Sluice,
    url: string,
    http: number,
    started: AsyncDisposableStack,
  ) {
    this.stream = stream
    this.letterStream = letterStream
    this.sluice = sluice
    this.#url = url
    this.#http = http
    this.#started = started
  }

  static async open({ url, buffer, inStream, hasTemplate = true }: RefusalOptions): Promise<Refusals> {
    await using started = new AsyncDisposableStack()
    const http = await freePort()
    const stream = await DataStream.create(url, mapping('long'))
    const letterStream = `logs-${stream.dataset}.dlq-default`
    const { name, body } = deadLetterTemplate(letterStream)
    if (hasTemplate) await ask(url, 'PUT', `/_index_template/${name}`, body)
    const folder = await mkdtemp(join(tmpdir(), 'sluice-letters-'))
    started.defer(() => rm(folder, { recursive: true, force: true }))
    const settings =
      buffer === 'disk'
        ? `{ directory: "${folder}/buffer", element_size: 4KiB }`
        : `{ url: "${started.use(await startRedis()).url}", element_size: 4KiB }`
    const config = `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${http}" } } }
connectors:
  ${buffer}: ${settings}
exporters:
  elasticsearch:
    endpoint: "${url}"
${inStream ? `    dead_letters: { data_stream: ${letterStream} }` : ''}
service:
  pipelines:
    logs/gateway: { receivers: [otlp], exporters: [${buffer}] }
    logs/drain: { receivers: [${buffer}], exporters: [elasticsearch] }
`
    const sluice = started.use(await startSluice({ config }))
    return new Refusals(stream, letterStream, sluice, url, http, started.move())
  }

  /** The status of every odd record is a word, which does not fit the mapping. */
  async send(): Promise<void> {
    for (let request = 0; request < REQUESTS; request++) {
      const logRecords = Array.from({ length: RECORDS }, (_, index) => ({
        timeUnixNano: String(1_790_000_000_000_000_000n + BigInt(request * RECORDS + index)),
        body: { stringValue: `record ${index} of ${request}` },
        attributes: [{ key: 'status', value: index % 2 === 1 ? { stringValue: WORD } : { intValue: '200' } }],
      }))
      const attributes = [
        { key: 'data_stream.dataset', value: { stringValue: this.stream.dataset } },
        { key: 'service.name', value: { stringValue: `service-${request}` } },
      ]
      const json = { resourceLogs: [{ resource: { attributes }, scopeLogs: [{ logRecords }] }] }
      await postUntilAccepted(this.#http, encodeJsonRequest(JSON.stringify(json)))
    }
  }

  /** Resolves when nothing waits any more, and so many were buried and delivered, by the metrics alone. */
  settled(buried: number, sent: number): Promise<void> {
    return eventually('all is settled', async () => {
      const metrics = await this.sluice.metrics()
      return (
        metrics.sum('sluice_buffer_records') === 0 &&
        metrics.sum('otelcol_exporter_sent_log_records') === sent &&
        metrics.sum('sluice_dead_letter_log_records_total') === buried
      )
    })
  }

  /** What `sluice dlq` prints. */
  async dlq(...args: string[]): Promise<string> {
    return (await exec(process.execPath, [MAIN, 'dlq', ...args, '--config', this.sluice.file])).stdout
  }

  async letters(...args: string[]): Promise<Listed[]> {
    return JSON.parse(await this.dlq('ls', '--json', ...args)) as Listed[]
  }

  async ask(method: string, path: string, body?: object): Promise<unknown> {
    return ask(this.#url, method, path, body)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#started.disposeAsync()
  }
}

async function ask(url: string, method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(url + path, {
    method,
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  const text = await response.text()
  expect(response.ok, `${method} ${path} answered ${response.status}: ${text}`).toBe(true)
  return JSON.parse(text)
}

export const recordsIn = (letters: readonly Listed[]): number =>
  letters.reduce((sum, { records }) => sum + records, 0)
