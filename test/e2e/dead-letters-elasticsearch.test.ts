import { describe, expect, inject, it } from 'vitest'
import { ALL, type Listed, mapping, REASON, RECORDS, Refusals, recordsIn, SECRET, WORD } from './refusals.ts'
import type { Hit } from './search.ts'
import { eventually } from './sluice.ts'

/** Each command is a process of its own, on a machine that has other things to do. */
const COMMANDS_TIMEOUT = 240_000
const FROM = ['--from', 'elasticsearch']

const idsOf = (hits: readonly Hit[]): string[] => hits.map(({ _id }) => _id).sort()

describe('records that a real Elasticsearch refuses for their mapping', () => {
  it.each([
    { buffer: 'disk', place: 'the buffer', inStream: false },
    { buffer: 'disk', place: 'a data stream', inStream: true },
    { buffer: 'redis', place: 'a data stream', inStream: true },
  ] as const)(
    'come back to $place as often as they are refused, and are delivered under the ids they were to have ($buffer)',
    async ({ buffer, inStream }) => {
      await using path = await Refusals.open({ url: inject('elasticsearchUrl'), buffer, inStream })
      const { stream, sluice } = path
      const from = inStream ? FROM : []
      await path.send()
      await path.settled(ALL / 2, ALL / 2)
      const neighbours = idsOf(await stream.all())
      const listed = await path.letters(...from)
      const shown = (await path.dlq('show', ...from)).trimEnd().split('\n')
      const places = shown.map((line) => JSON.parse(line) as { batch: string; position: number })
      const missing = places.map(
        ({ batch, position }) => `${Buffer.from(batch, 'hex').toString('base64url')}-${position}`,
      )

      const tooEarly = JSON.parse(await path.dlq('replay', '--all', '--json', ...from)) as object
      await path.settled(ALL, ALL / 2)
      await stream.remap(mapping('keyword'))
      const replays = await Promise.all([
        path.dlq('replay', '--where', 'reason=~attributes\\.status', '--json', ...from),
        path.dlq('replay', '--all', '--json', ...from),
      ])
      await eventually('all is there', async () => (await stream.count()) === ALL)
      await eventually('the buffer is empty', async () => {
        return (await sluice.metrics()).sum('sluice_buffer_records') === 0
      })

      expect((await sluice.metrics()).sum('otelcol_receiver_accepted_log_records')).toBe(ALL)
      expect(recordsIn(listed)).toBe(ALL / 2)
      expect(new Set(listed.map(({ pipeline, reason }) => `${pipeline}: ${reason}`))).toEqual(
        new Set([`logs/drain: ${REASON}`]),
      )
      expect(JSON.stringify(listed)).not.toContain(SECRET)
      expect(tooEarly).toEqual({ letters: listed.length, records: ALL / 2, left: 0 })
      const moved = replays.map((text) => (JSON.parse(text) as { records: number }).records)
      expect(moved[0] + moved[1]).toBeGreaterThanOrEqual(ALL / 2)
      const delivered = await stream.all()
      expect(idsOf(delivered)).toEqual([...neighbours, ...missing].sort())
      expect(new Set(idsOf(delivered)).size).toBe(ALL)
      const repaired = delivered.filter(({ _id }) => missing.includes(_id))
      expect(new Set(repaired.map(({ _source }) => _source.attributes.status))).toEqual(new Set([WORD]))
      expect(await path.dlq('replay', '--all', ...from)).toBe('replayed 0 dead letters with 0 records\n')
    },
    COMMANDS_TIMEOUT,
  )

  it(
    'are documents that say what they were to be, and can be chosen one by one',
    async () => {
      await using path = await Refusals.open({
        url: inject('elasticsearchUrl'),
        buffer: 'disk',
        inStream: true,
      })
      await path.send()
      await path.settled(ALL / 2, ALL / 2)
      const { stream, letterStream } = path

      const some = await path.letters(...FROM, '--where', 'service.name=service-1')
      const old = await path.letters(...FROM, '--until', '1h')
      const table = await path.dlq(
        'ls',
        ...FROM,
        '--since',
        '1h',
        '--limit',
        '1',
        '--where',
        `index=${stream.name}`,
      )
      const dropped = await path.dlq('drop', ...FROM, '--where', 'service.name=~[01]$', '--yes', '--json')
      await path.ask('POST', `/${letterStream}/_refresh`)
      const { hits } = (await path.ask('POST', `/${letterStream}/_search`, {
        size: ALL,
        query: { bool: { filter: [{ term: { 'error.field': 'attributes.status' } }] } },
      })) as { hits: { hits: { _source: { letter: { id: string }; target: { id: string } } }[] } }

      expect(some).toHaveLength(RECORDS / 2)
      expect(old).toEqual([])
      expect(table.trimEnd().split('\n')).toEqual([
        expect.stringMatching(/^ID +BURIED +PIPELINE +INDEX +RECORDS +SIZE +REASON$/),
        expect.stringMatching(
          new RegExp(`^[0-9a-f]{12} +\\S+Z +logs/drain +${stream.name} +1 .* ${REASON}$`),
        ),
      ])
      expect(JSON.parse(dropped)).toEqual({ letters: RECORDS, records: RECORDS, left: 0 })
      const left: Listed[] = await path.letters(...FROM)
      expect(left).toHaveLength(ALL / 2 - RECORDS)
      const documents = hits.hits.map(({ _source }) => _source)
      expect(documents.map(({ letter }) => letter.id).sort()).toEqual(left.map(({ id }) => id).sort())
      expect(documents[0]).toMatchObject({
        reason: REASON,
        http: { response: { status_code: 400 } },
        error: { type: 'document_parsing_exception', field: 'attributes.status', field_type: 'long' },
        target: { index: stream.name },
        pipeline: 'logs/drain',
        exporter: 'elasticsearch',
        service: { name: expect.stringMatching(/^service-[23]$/) as string },
      })
      expect(JSON.stringify({ ...documents[0], otlp: '' })).not.toContain(SECRET)
      const delivered = idsOf(await stream.all())
      const batches = new Set(delivered.map((id) => id.replace(/-\d+$/, '')))
      for (const { target } of documents) {
        expect(delivered).not.toContain(target.id)
        expect(batches).toContain(target.id.replace(/-\d+$/, ''))
      }
    },
    COMMANDS_TIMEOUT,
  )

  it('go to the dead letters of the buffer while no template makes their data stream', async () => {
    await using path = await Refusals.open({
      url: inject('elasticsearchUrl'),
      buffer: 'disk',
      inStream: true,
      hasTemplate: false,
    })
    await path.sluice.line(/no index template makes this a data stream for dead letters/)
    await path.send()
    await path.settled(ALL / 2, ALL / 2)

    expect(recordsIn(await path.letters())).toBe(ALL / 2)
    expect(await path.letters(...FROM)).toEqual([])
    await path.sluice.line(/Elasticsearch does not take dead letters; the buffer keeps them/)
    expect(path.sluice.output).not.toContain(SECRET)
  })
})
