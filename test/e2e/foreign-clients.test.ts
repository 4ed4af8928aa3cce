import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readOtherwise } from '../fuzz/json/oracle.ts'
import { type RecordInContext, recordsOf } from '../oracle/oracle.ts'
import { temporaryFolder } from '../servers/at-exit.ts'
import { type ForeignSdk, javaSdk, pythonSdk } from '../servers/opentelemetry-sdks.ts'
import { run } from '../servers/process.ts'
import { sendByJavaScript } from './clients/javascript.ts'
import { linesOf } from './clients/lines.ts'
import { TELLING, type ToldRecord } from './clients/records.ts'
import { attributesOf, sorted, valueOf } from './clients/values.ts'
import { expectedOf, type Language, type Protocol, tellingFor } from './clients/ways.ts'
import { type FilePath, filesIn, linesIn, startFilePath } from './file-path.ts'
import { eventually } from './sluice.ts'

const CLIENTS = join(import.meta.dirname, 'clients')
/** What arrived, in the order of its numbers. */
function arrivedOf(found: readonly RecordInContext[]) {
  const [{ resource, scope, scopeSchemaUrl }] = found
  return {
    resource: sorted(attributesOf(resource?.attributes ?? [])),
    scope: {
      name: scope?.name,
      version: scope?.version,
      schemaUrl: scopeSchemaUrl,
      attributes: sorted(attributesOf(scope?.attributes ?? [])),
    },
    records: found
      .map(({ record }) => ({
        severity: record.severityNumber,
        severityText: record.severityText,
        eventName: record.eventName,
        time: record.timeUnixNano,
        observed: record.observedTimeUnixNano,
        traceId: Buffer.from(record.traceId).toString('hex'),
        spanId: Buffer.from(record.spanId).toString('hex'),
        flags: record.flags,
        body: valueOf(record.body),
        attributes: sorted(attributesOf(record.attributes)),
      }))
      .sort((a, b) => numberIn(a) - numberIn(b)),
  }
}

const numberIn = ({ attributes }: Pick<ToldRecord, 'attributes'>): number => {
  const number = attributes.find(([key]) => key === 'number')?.[1]
  return number && 'int' in number ? Number(number.int) : -1
}

describe('records of other SDKs arrive as they were sent', () => {
  let path: FilePath
  let lines: string
  let remove: () => Promise<void>

  beforeAll(async () => {
    const folder = await temporaryFolder('clients')
    remove = () => folder.remove()
    lines = join(folder.path, 'lines')
    await writeFile(lines, linesOf(TELLING))
    path = await startFilePath('format: otlp_json, path: "{client}.jsonl"')
  })

  afterAll(async () => {
    await path?.[Symbol.asyncDispose]()
    await remove?.()
  })

  const urlFor = (protocol: Protocol): string =>
    protocol === 'grpc' ? `http://127.0.0.1:${path.grpc}` : `http://127.0.0.1:${path.http}/v1/logs`

  /** Resolves once all is in files, which is after it was acknowledged. */
  async function requireArrival(language: Language, protocol: Protocol, client: string): Promise<void> {
    await eventually(
      'the buffer is empty',
      async () => (await path.sluice.metrics()).sum('sluice_buffer_records') === 0,
    )
    const files = (await filesIn(path.directory)).filter((file) => file.includes(client))
    const requests = (await linesIn(files)).map((line) => readOtherwise(line).request)
    const found = requests.flatMap((request) => (request === undefined ? [] : recordsOf(request)))
    const expected = expectedOf(language, protocol, client)

    expect(requests).not.toContain(undefined)
    expect(found.length).toBe(expected.records.length)
    const arrived = arrivedOf(found)
    for (const [index, record] of expected.records.entries()) expect(arrived.records[index]).toEqual(record)
    expect({ ...arrived, records: [] }).toEqual({ ...expected, records: [] })
  }

  const every = (protocols: readonly Protocol[]) =>
    protocols.flatMap((protocol) =>
      (['none', 'gzip'] as const).map((compression) => ({ protocol, compression })),
    )

  it.each(every(['grpc', 'http', 'json']))('from JavaScript, $protocol, $compression', async (way) => {
    const client = `javascript-${way.protocol}-${way.compression}`
    const telling = tellingFor('javascript', way.protocol)
    await sendByJavaScript(telling, client, { ...way, url: urlFor(way.protocol) })
    await requireArrival('javascript', way.protocol, client)
  })

  describe.each([
    {
      language: 'python',
      sdk: () => pythonSdk(join(CLIENTS, 'python/requirements.txt')),
      program: 'python/client.py',
    },
    { language: 'java', sdk: () => javaSdk(join(CLIENTS, 'java/pom.xml')), program: 'java/Client.java' },
  ] as const)('from $language', ({ language, sdk, program }) => {
    const ways = every(['grpc', 'http']).map((way) => ({
      ...way,
      client: `${language}-${way.protocol}-${way.compression}`,
    }))
    let lacking: string | undefined

    beforeAll(async () => {
      const found: ForeignSdk | Error = await sdk().catch((error: Error) => error)
      if (found instanceof Error) {
        lacking = found.message
        return
      }
      const { command, args } = found
      const told = ways.map(
        ({ client, protocol, compression }) => `${client}=${protocol},${compression},${urlFor(protocol)}`,
      )
      await run(command, [...args, join(CLIENTS, program), lines, ...told])
    })

    it.for(ways)('$protocol, $compression', async ({ protocol, client }, { skip }) => {
      if (lacking !== undefined) skip(lacking)
      await requireArrival(language, protocol, client)
    })
  })
})
