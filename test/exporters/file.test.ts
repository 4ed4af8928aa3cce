import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { file } from '../../exporters/file/index.ts'
import { PathTemplate } from '../../exporters/file/path-template.ts'
import { never, testContext } from '../support/component.ts'
import { attributes, batchOf, text } from '../support/otlp.ts'

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

  const exporterOf = (config: object = {}) =>
    file.create(file.config.parse({ directory, ...config }), testContext())
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
})

describe('path templates', () => {
  const template = new PathTemplate('{service.name}/{YYYY}/{MM-DD}T{HH}.ndjson')
  const path = (service: string | undefined) => template.path(1790000000000, () => service)

  it('fill in the time in UTC and attributes of the resource', () => {
    expect(path('cart')).toBe('cart/2026/09-21T14.ndjson')
  })

  it.each([
    ['../../etc/passwd', '__.._etc_passwd'],
    ['..', '_'],
    ['.hidden', '_hidden'],
    ['a/b\\c\0d', 'a_b_c_d'],
    ['', 'unknown'],
    [undefined, 'unknown'],
  ])('reduce %j to the harmless %s', (service, name) => {
    expect(path(service)).toBe(`${name}/2026/09-21T14.ndjson`)
  })
})
