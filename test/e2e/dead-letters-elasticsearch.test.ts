import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { deadLetterTemplate } from '../../exporters/elasticsearch/dead-letter-template.ts'
import { encodeJsonRequest } from '../../src/logs/json/encode.ts'
import { freePort } from '../servers/ports.ts'
import { startRedis } from '../servers/redis.ts'
import { postUntilAccepted } from './client.ts'
import { DataStream, type Hit } from './search.ts'
import { eventually, MAIN, type Sluice, startSluice } from './sluice.ts'

const REQUESTS = 4
const RECORDS = 40
const ALL = REQUESTS * RECORDS
const SECRET = 'hunter2'
/** Ends what may be told of an error, were it looked for in the wrong place. */
const WORD = `${SECRET} at field [${SECRET}]`
const exec = promisify(execFile)

const mapping = (type: string): object => ({ attributes: { properties: { status: { type } } } })

interface Listed {
  readonly id: string
  readonly records: number
  readonly pipeline: string
  readonly reason: string
}

describe.each([
  ['disk', 'the buffer'],
  ['disk', 'a data stream'],
  ['redis', 'a data stream'],
] as const)(
  'records that a real Elasticsearch refuses, with the buffer in %s and dead letters in %s',
  (kind, place) => {
    const inStream = place === 'a data stream'
    let started: AsyncDisposableStack
    let url: string
    let stream: DataStream
    let letterStream: string
    let sluice: Sluice
    let http: number

    beforeEach(async () => {
      url = inject('elasticsearchUrl')
      started = new AsyncDisposableStack()
      http = await freePort()
      stream = await DataStream.create(url, mapping('long'))
      letterStream = `logs-${stream.dataset}.dlq-default`
      const { name, body } = deadLetterTemplate(letterStream)
      await ask('PUT', `/_index_template/${name}`, body)
      const folder = await mkdtemp(join(tmpdir(), 'sluice-letters-'))
      started.defer(() => rm(folder, { recursive: true, force: true }))
      const settings =
        kind === 'disk'
          ? `{ directory: "${folder}/buffer", element_size: 4KiB }`
          : `{ url: "${started.use(await startRedis()).url}", element_size: 4KiB }`
      sluice = started.use(
        await startSluice({
          config: `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${http}" } } }
connectors:
  ${kind}: ${settings}
exporters:
  elasticsearch:
    endpoint: "${url}"
${inStream ? `    dead_letters: { data_stream: ${letterStream} }` : ''}
service:
  pipelines:
    logs/gateway: { receivers: [otlp], exporters: [${kind}] }
    logs/drain: { receivers: [${kind}], exporters: [elasticsearch] }
`,
        }),
      )
    })

    afterEach(() => started.disposeAsync())

    async function ask(method: string, path: string, body?: object): Promise<unknown> {
      const response = await fetch(url + path, {
        method,
        ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      })
      const text = await response.text()
      if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`)
      return JSON.parse(text)
    }

    const from = inStream ? ['--from', 'elasticsearch'] : []
    const dlq = async (name: string, ...args: string[]): Promise<string> =>
      (await exec(process.execPath, [MAIN, 'dlq', name, ...args, ...from, '--config', sluice.file])).stdout
    const letters = async (): Promise<Listed[]> => JSON.parse(await dlq('ls', '--json')) as Listed[]
    const recordsIn = (list: readonly Listed[]): number => list.reduce((sum, { records }) => sum + records, 0)
    const idsOf = (hits: readonly Hit[]): string[] => hits.map(({ _id }) => _id).sort()
    const value = async (name: string): Promise<number> => (await sluice.metrics()).sum(name)

    /** The status of every odd record is a word, which does not fit the mapping. */
    async function send(): Promise<void> {
      for (let request = 0; request < REQUESTS; request++) {
        const logRecords = Array.from({ length: RECORDS }, (_, index) => ({
          timeUnixNano: String(1_790_000_000_000_000_000n + BigInt(request * RECORDS + index)),
          body: { stringValue: `record ${index} of ${request}` },
          attributes: [
            {
              key: 'status',
              value: index % 2 === 1 ? { stringValue: WORD } : { intValue: '200' },
            },
          ],
        }))
        const attributes = [
          { key: 'data_stream.dataset', value: { stringValue: stream.dataset } },
          { key: 'service.name', value: { stringValue: `service-${request}` } },
        ]
        const json = { resourceLogs: [{ resource: { attributes }, scopeLogs: [{ logRecords }] }] }
        await postUntilAccepted(http, encodeJsonRequest(JSON.stringify(json)))
      }
    }

    const settled = (deadLettered: number, sent: number): Promise<void> =>
      eventually('all is settled', async () => {
        const metrics = await sluice.metrics()
        return (
          metrics.sum('sluice_buffer_records') === 0 &&
          metrics.sum('otelcol_exporter_sent_log_records') === sent &&
          metrics.sum('sluice_dead_letter_log_records_total') === deadLettered
        )
      })

    it('come back as often as they are refused, and are delivered under the ids they were to have', async () => {
      await send()
      await settled(ALL / 2, ALL / 2)
      const neighbours = idsOf(await stream.all())
      const listed = await letters()
      const shown = (await dlq('show')).trimEnd().split('\n')
      const places = shown.map((line) => JSON.parse(line) as { batch: string; position: number })
      const missing = places.map(
        ({ batch, position }) => `${Buffer.from(batch, 'hex').toString('base64url')}-${position}`,
      )

      const tooEarly = JSON.parse(await dlq('replay', '--all', '--json')) as object
      await settled(ALL, ALL / 2)
      const again = await letters()
      await stream.remap(mapping('keyword'))
      const [one, other] = await Promise.all([
        dlq('replay', '--where', 'reason=~attributes\\.status', '--json'),
        dlq('replay', '--all', '--json'),
      ])
      await eventually('all is there', async () => (await stream.count()) === ALL)
      await eventually('the buffer is empty', async () => (await value('sluice_buffer_records')) === 0)

      expect(await value('otelcol_receiver_accepted_log_records')).toBe(ALL)
      expect(recordsIn(listed)).toBe(ALL / 2)
      expect(new Set(listed.map(({ pipeline, reason }) => `${pipeline}: ${reason}`))).toEqual(
        new Set(['logs/drain: 400 document_parsing_exception at field attributes.status of type long']),
      )
      expect(JSON.stringify(listed)).not.toContain(SECRET)
      expect(tooEarly).toEqual({ letters: listed.length, records: ALL / 2, left: 0 })
      expect(recordsIn(again)).toBe(ALL / 2)
      const moved = [one, other].map((text) => (JSON.parse(text) as { records: number }).records)
      expect(moved[0] + moved[1]).toBeGreaterThanOrEqual(ALL / 2)
      const delivered = await stream.all()
      expect(idsOf(delivered)).toEqual([...neighbours, ...missing].sort())
      expect(new Set(idsOf(delivered)).size).toBe(ALL)
      const repaired = delivered.filter(({ _id }) => missing.includes(_id))
      expect(new Set(repaired.map(({ _source }) => _source.attributes.status))).toEqual(new Set([WORD]))
      expect(await letters()).toEqual([])
      expect(JSON.parse(await dlq('replay', '--all', '--json'))).toEqual({ letters: 0, records: 0, left: 0 })
    })

    it.runIf(inStream)('say what they were to be, can be chosen one by one, and dropped', async () => {
      await send()
      await settled(ALL / 2, ALL / 2)

      const some = JSON.parse(await dlq('ls', '--json', '--where', 'service.name=service-1')) as Listed[]
      const long = JSON.parse(await dlq('ls', '--json', '--until', '1h')) as Listed[]
      const table = await dlq('ls', '--since', '1h', '--limit', '1', '--where', `index=${stream.name}`)
      const dropped = await dlq('drop', '--where', 'service.name=~^service-[01]$', '--yes', '--json')
      await ask('POST', `/${letterStream}/_refresh`)
      const { hits } = (await ask('POST', `/${letterStream}/_search`, {
        query: {
          bool: {
            filter: [
              { term: { 'error.field': 'attributes.status' } },
              { term: { 'service.name': 'service-2' } },
            ],
          },
        },
      })) as { hits: { hits: { _source: Record<string, unknown> }[] } }

      expect(some).toHaveLength(RECORDS / 2)
      expect(long).toEqual([])
      expect(table.trimEnd().split('\n')).toMatchObject([
        expect.stringMatching(/^ID +BURIED +PIPELINE +INDEX /),
        expect.stringMatching(new RegExp(`^[0-9a-f]{12} .* logs/drain +${stream.name} +1 `)),
      ])
      expect(JSON.parse(dropped)).toEqual({ letters: RECORDS, records: RECORDS, left: 0 })
      expect(recordsIn(await letters())).toBe(ALL / 2 - RECORDS)
      const [{ _source: letter }] = hits.hits
      expect(letter).toMatchObject({
        reason: '400 document_parsing_exception at field attributes.status of type long',
        http: { response: { status_code: 400 } },
        error: { type: 'document_parsing_exception', field: 'attributes.status', field_type: 'long' },
        target: { index: stream.name, id: expect.stringMatching(/^[\w-]{30}-\d+$/) as string },
        pipeline: 'logs/drain',
        exporter: 'elasticsearch',
        service: { name: 'service-2' },
      })
      expect(JSON.stringify({ ...letter, otlp: '' })).not.toContain(SECRET)
    })
  },
)
