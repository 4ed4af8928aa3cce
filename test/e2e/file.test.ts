import { describe, expect, it } from 'vitest'
import { LogBatch } from '../../src/logs/batch.ts'
import { encodeJsonRequest } from '../../src/logs/json/encode.ts'
import { documentsOf } from '../support/otlp.ts'
import { numberedRequests, postUntilAccepted } from './client.ts'
import { filesIn, linesIn, sequenceOf, startFilePath, startReplay } from './file-path.ts'
import { eventually, type Sluice } from './sluice.ts'

const ROTATION = 'rotation: { max_megabytes: 0.05, compression: zstd }'

/** A request with a value of every kind, of several services, days and scopes. */
const VARIED = ((): Buffer => {
  const value = {
    kvlistValue: {
      values: [
        { key: 'text', value: { stringValue: 'naïve "quoted" \u0000 漢😀' } },
        { key: 'int', value: { intValue: '9007199254740993' } },
        { key: 'double', value: { doubleValue: 1 } },
        { key: 'list', value: { arrayValue: { values: [{ boolValue: true }, {}] } } },
      ],
    },
  }
  const record = (index: number): object => ({
    timeUnixNano: String(1_790_000_000_123_456_789n + BigInt(index) * 40_000_000_000_000n),
    observedTimeUnixNano: '1790000000223456789',
    severityNumber: 17,
    severityText: 'ERROR',
    body: index % 2 === 0 ? value : { arrayValue: { values: [{ stringValue: 'a' }, { intValue: '2' }] } },
    attributes: [
      { key: 'seq', value: { intValue: String(index) } },
      { key: 'value', value },
    ],
    droppedAttributesCount: 3,
    flags: 1,
    traceId: '5b8efff798038103d269b633813fc60c',
    spanId: 'eee19b7ec3c1b174',
    eventName: 'cart.checkout',
  })
  const resourceLogs = ['cart', 'shop'].map((service) => ({
    resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
    schemaUrl: 'https://opentelemetry.io/schemas/1.30.0',
    scopeLogs: ['db', 'http'].map((name) => ({
      scope: { name, version: '1.2', attributes: [{ key: 'team', value: { stringValue: 'a' } }] },
      logRecords: Array.from({ length: 20 }, (_, index) => record(index)),
    })),
  }))
  return encodeJsonRequest(JSON.stringify({ resourceLogs }))
})()

async function written(sluice: Sluice, records: number): Promise<void> {
  await eventually(
    'all records are in files',
    async () => (await sluice.metrics()).sum('sluice_buffer_acked_log_records_total') >= records,
  )
}

describe('files that are replayed', () => {
  it.each(['ndjson', 'otlp_json'])(
    'into another collector make the same files again (%s)',
    async (format) => {
      const requests = [VARIED, ...numberedRequests(20, 100, 'file').map(({ bytes }) => bytes)]
      const records = requests.reduce((sum, bytes) => sum + LogBatch.decode(bytes).size, 0)
      await using first = await startFilePath(`format: ${format}, ${ROTATION}`)
      for (const bytes of requests) await postUntilAccepted(first.http, bytes)
      await written(first.sluice, records)
      await first.sluice.stopProcess()
      const files = await filesIn(first.directory)
      expect(files.some((file) => file.includes('@'))).toBe(true)

      await using second = await startFilePath(`format: ${format}, ${ROTATION}`)
      const replay = startReplay(second.http, files)
      await replay.exited
      await written(second.sluice, records)
      await second.sluice.stopProcess()

      expect(replay.output).toMatch(
        new RegExp(`^replayed ${records} records of ${files.length} files[^;]*$`, 'm'),
      )
      const [before, after] = [await linesIn(files), await linesIn(await filesIn(second.directory))].map(
        (lines) =>
          format === 'ndjson'
            ? lines
            : lines
                .flatMap((line) => documentsOf(LogBatch.decode(encodeJsonRequest(line))))
                .map((document) => JSON.stringify(document)),
      )
      expect(before).toHaveLength(records)
      expect(after.toSorted()).toEqual(before.toSorted())
    },
  )

  it('are gone through again after the collector was away, without a loss', async () => {
    const requests = numberedRequests(30, 100, 'file')
    await using first = await startFilePath(ROTATION)
    for (const { bytes } of requests) await postUntilAccepted(first.http, bytes)
    await written(first.sluice, 3000)
    await first.sluice.stopProcess()
    const files = await filesIn(first.directory)
    await using second = await startFilePath(ROTATION)

    await second.sluice.kill()
    const replay = startReplay(second.http, files)
    await replay.line(/cannot be reached \(ECONNREFUSED\); trying again in/, 30_000)
    await second.sluice.restart()
    await replay.exited
    await eventually(
      'the buffer is empty',
      async () => (await second.sluice.metrics()).sum('sluice_buffer_records') === 0,
    )
    await second.sluice.stopProcess()

    expect(replay.output).toMatch(/^replayed 3000 records of \d+ files[^;]*$/m)
    const found = new Set(sequenceOf(await linesIn(await filesIn(second.directory))))
    expect([...found]).toEqual(requests.flatMap(({ sequence }) => sequence))
  })
})
