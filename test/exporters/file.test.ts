import { appendFile, mkdtemp, readdir, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { file } from '../../exporters/file/index.ts'
import { LogBatch } from '../../src/logs/batch.ts'
import { encodeJsonRequest } from '../../src/logs/json/encode.ts'
import { Request, ResourceLogs, ScopeLogs } from '../../src/logs/wire.ts'
import { WireWriter } from '../../src/logs/wire-writer.ts'
import { never, testContext } from '../support/component.ts'
import { attributes, batchOf, documentsOf, text } from '../support/otlp.ts'

const DAY_ONE = '1790000000000000001'
const DAY_TWO = '1790086400000000000'

const batch = (service: string, records: readonly (readonly [string, string])[]) =>
  batchOf(
    records.map(([body, timeUnixNano]) => ({ body: text(body), timeUnixNano })),
    { attributes: attributes({ 'service.name': text(service) }) },
  )

describe('the file exporter', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-file-'))
  })
  afterEach(() => rm(directory, { recursive: true }))

  const exporterOf = (config: object = {}, context = testContext()) =>
    file.create(file.config.parse({ directory, ...config }), context)
  const bodies = async (path: string): Promise<unknown[]> =>
    (await readFile(join(directory, path), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { body: { text: string } }).body.text)

  it('writes one line a record, a file for each service and day', async () => {
    const exporter = exporterOf()

    await exporter.export(
      batch('cart', [
        ['a', DAY_ONE],
        ['b', DAY_TWO],
        ['c', DAY_ONE],
      ]),
      never,
    )
    await exporter.export(batch('shop', [['d', DAY_ONE]]), never)
    await exporter.stop?.(never)

    expect((await readdir(directory, { recursive: true })).sort()).toEqual([
      'cart',
      'cart/2026-09-21.ndjson',
      'cart/2026-09-22.ndjson',
      'shop',
      'shop/2026-09-21.ndjson',
    ])
    expect(await bodies('cart/2026-09-21.ndjson')).toEqual(['a', 'c'])
    const [line] = (await readFile(join(directory, 'shop/2026-09-21.ndjson'), 'utf8')).split('\n')
    expect(JSON.parse(line)).toMatchObject({ '@timestamp': '2026-09-21T14:13:20.000000001Z' })
  })

  it('appends to what an earlier run wrote, and cuts off a line that a crash left unfinished', async () => {
    const first = exporterOf({ path: 'all.ndjson' })
    await first.export(batch('cart', [['a', DAY_ONE]]), never)
    await first.stop?.(never)
    await appendFile(join(directory, 'all.ndjson'), '{"body":{"te')

    const second = exporterOf({ path: 'all.ndjson' })
    await second.export(batch('cart', [['b', DAY_ONE]]), never)
    await second.stop?.(never)

    expect(await bodies('all.ndjson')).toEqual(['a', 'b'])
  })

  it('keeps writing to many services at once with few open files', async () => {
    const exporter = exporterOf()
    const services = Array.from({ length: 100 }, (_, i) => `service-${i}`)

    for (let round = 0; round < 2; round++) {
      for (const service of services) await exporter.export(batch(service, [[`${round}`, DAY_ONE]]), never)
    }
    await exporter.stop?.(never)

    for (const service of services) expect(await bodies(`${service}/2026-09-21.ndjson`)).toEqual(['0', '1'])
  })

  it('says which file could not be written, and that it is worth another try', async () => {
    await writeFile(join(directory, 'cart'), 'a file where a folder is needed')

    await expect(exporterOf().export(batch('cart', [['a', DAY_ONE]]), never)).rejects.toMatchObject({
      name: 'RetryableError',
      message: expect.stringContaining('cart/2026-09-21.ndjson could not be written'),
    })
  })

  it('writes OTLP/JSON, a request a line, which is read back as what came', async () => {
    const exporter = exporterOf({ format: 'otlp_json' })
    const received = batch('cart', [
      ['a', DAY_ONE],
      ['b', DAY_ONE],
      ['c', DAY_TWO],
    ])

    await exporter.export(received, never)
    await exporter.stop?.(never)

    const [dayOne, dayTwo] = await Promise.all(
      ['cart/2026-09-21.ndjson', 'cart/2026-09-22.ndjson'].map((path) =>
        readFile(join(directory, path), 'utf8'),
      ),
    )
    expect(dayOne.split('\n')).toHaveLength(2)
    const readBack = [dayOne, dayTwo].flatMap((lines) =>
      documentsOf(LogBatch.decode(encodeJsonRequest(lines.trimEnd()))),
    )
    expect(readBack).toEqual(documentsOf(received))
  })

  it('refuses a record that is none, and writes the others', async () => {
    const exporter = exporterOf({ format: 'otlp_json', path: 'all.ndjson' })

    await expect(exporter.export(LogBatch.open(BROKEN_IN_THE_MIDDLE), never)).rejects.toMatchObject({
      name: 'PermanentError',
      rejected: [{ records: [1], reason: expect.stringContaining('not a valid record') }],
    })

    const [line] = (await readFile(join(directory, 'all.ndjson'), 'utf8')).split('\n')
    expect(LogBatch.decode(encodeJsonRequest(line)).size).toBe(2)
    await exporter.stop?.(never)
  })

  it('leaves only the records of files that failed to be sent again', async () => {
    await writeFile(join(directory, 'cart'), 'a file where a folder is needed')
    const context = testContext()
    const exporter = exporterOf({ path: '{record:to}/all.ndjson' }, context)
    const record = (to: string): object => ({ body: text(to), attributes: attributes({ to: text(to) }) })
    const mixed = batchOf(['shop', 'cart', 'shop', 'cart'].map(record))

    const failed = exporter.export(mixed, never)
    const other = exporter.export(batchOf([record('desk')]), never)

    await expect(failed).rejects.toMatchObject({ name: 'RetryableError', reason: 'disk', remaining: [1, 3] })
    await other
    expect(await bodies('shop/all.ndjson')).toEqual(['shop', 'shop'])
    expect(context.states.at(-1)).toEqual({
      state: 'degraded',
      detail: `${join(directory, 'cart/all.ndjson')} could not be written (ENOTDIR)`,
    })
    expect(await context.value('sluice_file_errors_total', { operation: 'write', reason: 'ENOTDIR' })).toBe(1)

    await rm(join(directory, 'cart'))
    await exporter.export(mixed.select([1, 3]), never)
    await exporter.stop?.(never)

    expect(await bodies('cart/all.ndjson')).toEqual(['cart', 'cart'])
    expect(context.states.at(-1)?.state).toBe('ok')
  })

  it('writes nothing for an attempt that was given up while it waited', async () => {
    const exporter = exporterOf()
    const gone = new AbortController()
    const first = exporter.export(batch('cart', [['a', DAY_ONE]]), never)
    const second = exporter.export(batch('cart', [['b', DAY_ONE]]), gone.signal)
    gone.abort(new Error('too late'))

    await expect(second).rejects.toThrow('too late')
    await first
    await exporter.stop?.(never)

    expect(await bodies('cart/2026-09-21.ndjson')).toEqual(['a'])
  })

  it.each(['always', 'interval', 'never'])(
    'with fsync: %s, writes all that it acknowledges',
    async (fsync) => {
      const exporter = exporterOf({ fsync, fsync_interval: '10ms' })
      await exporter.start?.()

      for (const body of ['a', 'b', 'c']) {
        await exporter.export(batch('cart', [[body, DAY_ONE]]), never)
        expect((await bodies('cart/2026-09-21.ndjson')).at(-1)).toBe(body)
      }
      await exporter.stop?.(never)
    },
  )

  it('has its folder for itself', async () => {
    const first = exporterOf()
    await first.start?.()

    await expect(exporterOf().start?.()).rejects.toThrow(
      `${directory} is in use by another component of this process: the folder of a file exporter belongs to one`,
    )

    await first.stop?.(never)
    const second = exporterOf()
    await second.start?.()
    await second.stop?.(never)
    expect(await readdir(directory)).toEqual([])
  })

  it('keeps a service that is called like the lock apart from it', async () => {
    const exporter = exporterOf()
    await exporter.start?.()

    await exporter.export(batch('.lock', [['a', DAY_ONE]]), never)
    await exporter.stop?.(never)

    expect(await bodies('_lock/2026-09-21.ndjson')).toEqual(['a'])
  })

  it('makes files and folders with the permissions of the settings', async () => {
    const exporter = exporterOf({ file_permissions: '0600', directory_permissions: '700' })

    await exporter.export(batch('cart', [['a', DAY_ONE]]), never)
    await exporter.stop?.(never)

    const modeOf = async (path: string): Promise<string> =>
      ((await stat(join(directory, path))).mode & 0o777).toString(8)
    expect(await modeOf('cart')).toBe('700')
    expect(await modeOf('cart/2026-09-21.ndjson')).toBe('600')
  })

  it('leaves room on the disk to others', async () => {
    const { bavail, bsize } = await statfs(directory)
    const exporter = exporterOf({ min_free: bavail * bsize * 2 })

    await expect(exporter.export(batch('cart', [['a', DAY_ONE]]), never)).rejects.toMatchObject({
      name: 'RetryableError',
      reason: 'disk_full',
      message: expect.stringMatching(/has [\d.]+ MiB free, and min_free keeps [\d.]+ MiB for others$/),
    })
    await exporter.stop?.(never)

    expect(await readdir(directory)).toEqual([])
  })
})

/** A request of three records, the second of which holds a length that runs past its end. */
const BROKEN_IN_THE_MIDDLE = ((): Buffer => {
  const writer = new WireWriter()
  const resource = writer.open(Request.resourceLogs)
  const scope = writer.open(ResourceLogs.scopeLogs)
  for (const attribute of ['0a0161', '0a7f61', '0a0161'])
    writer.field(ScopeLogs.logRecords, Buffer.from(`3203${attribute}`, 'hex'))
  writer.close(scope)
  writer.close(resource)
  return writer.take()
})()
