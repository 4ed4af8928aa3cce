import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gunzipSync, gzipSync, zstdDecompressSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { file } from '../../exporters/file/index.ts'
import { type TemporaryFolder, temporaryFolder } from '../servers/at-exit.ts'
import { never, type TestContext, testContext } from '../support/component.ts'
import { attributes, batchOf, text } from '../support/otlp.ts'

const DAY = '1790000000000000001'
const batch = (service: string, bodies: readonly string[], timeUnixNano = DAY) =>
  batchOf(
    bodies.map((body) => ({ body: text(body), timeUnixNano })),
    { attributes: attributes({ 'service.name': text(service) }) },
  )
const line = (body: string): string => `{"body":{"text":"${body}"}}\n`
const ago = (days: number): string =>
  new Date(Date.now() - days * 86_400_000).toISOString().replaceAll(/[-:]/g, '')

/** The keeper works in the background, on machines that have other things to do. */
const soon = (probe: () => void | Promise<void>): Promise<void> => vi.waitFor(probe, 20_000)

describe('rotation of files', () => {
  let folder: TemporaryFolder
  let directory: string
  const stops: (() => Promise<void>)[] = []

  beforeEach(async () => {
    folder = await temporaryFolder('file')
    directory = folder.path
  })
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop()
    await folder.remove()
  })

  async function start(
    rotation: object,
    settings: object = {},
  ): Promise<{ exporter: ReturnType<typeof file.create>; context: TestContext }> {
    const context = testContext()
    const exporter = file.create(file.config.parse({ directory, rotation, ...settings }), context)
    await exporter.start?.()
    stops.push(async () => exporter.stop?.(never))
    return { exporter, context }
  }
  const files = async (): Promise<string[]> =>
    (await readdir(directory, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
      .sort()
  const put = async (path: string, content: string | Buffer, hoursOld = 0): Promise<void> => {
    const full = join(directory, path)
    await mkdir(dirname(full), { recursive: true })
    await writeFile(full, content)
    const time = Date.now() / 1000 - hoursOld * 3600
    await utimes(full, time, time)
  }
  const content = async (path: string): Promise<string> => {
    const bytes = await readFile(join(directory, path))
    const plain = path.endsWith('.gz')
      ? gunzipSync(bytes)
      : path.endsWith('.zst')
        ? zstdDecompressSync(bytes)
        : bytes
    return plain.toString()
  }
  const bodies = async (): Promise<string[]> => {
    const contents = await Promise.all((await files()).map(content))
    return contents
      .join('')
      .trimEnd()
      .split('\n')
      .map((found) => (JSON.parse(found) as { body: { text: string } }).body.text)
      .sort()
  }

  it.each(['gzip', 'zstd'] as const)(
    'by size closes files and compresses them with %s',
    async (compression) => {
      const { exporter, context } = await start({ max_megabytes: 0.01, compression })
      const written = Array.from(
        { length: 12 },
        (_, i) => `${i}-${createHash('sha512').update(`${i}`).digest('hex').repeat(20)}`,
      )

      for (const body of written) await exporter.export(batch('cart', [body]), never)
      await soon(async () => expect(await context.value('sluice_file_compressed_total')).toBe(3))

      expect(await bodies()).toEqual([...written].sort())
      const names = await files()
      const ending = compression === 'gzip' ? 'gz' : 'zst'
      expect(
        names.filter((name) =>
          new RegExp(`^cart/2026-09-21@\\d{8}T\\d{6}\\.\\d{3}Z\\.ndjson\\.${ending}$`).test(name),
        ),
      ).toHaveLength(3)
      expect(names).toContain('cart/2026-09-21.ndjson')
      expect(names).toHaveLength(4)
      expect(await context.value('sluice_file_rotated_total', { reason: 'size' })).toBe(3)
      for (const name of names) expect((await stat(join(directory, name))).size).toBeLessThan(0.01 * 2 ** 20)
    },
  )

  it('never cuts what is written at once, however large', async () => {
    const { exporter } = await start({ max_megabytes: 0.001 })

    await exporter.export(batch('cart', ['a'.repeat(5000), 'b'.repeat(5000)]), never)
    await exporter.export(batch('cart', ['c']), never)

    expect(await files()).toHaveLength(2)
    expect(await bodies()).toHaveLength(3)
  })

  it('closes a file whose day is over once nobody writes to it, one of an earlier run too', async () => {
    await put('cart/2026-09-20.ndjson', line('a'), 2)
    await put('shop/2026-09-20.ndjson', line('b'), 0)
    await put('cart/2099-01-01.ndjson', line('c'), 2)

    const { context } = await start({ close_after: '1h' })
    await soon(async () =>
      expect(await context.value('sluice_file_rotated_total', { reason: 'period' })).toBe(1),
    )

    expect(await files()).toEqual([
      expect.stringMatching(/^cart\/2026-09-20@.*Z\.ndjson$/),
      'cart/2099-01-01.ndjson',
      'shop/2026-09-20.ndjson',
    ])
  })

  it('closes a file that is older than the interval', async () => {
    const { exporter, context } = await start({ interval: '1s' }, { path: 'all.ndjson' })

    await exporter.export(batch('cart', ['a']), never)
    await soon(async () =>
      expect(await context.value('sluice_file_rotated_total', { reason: 'interval' })).toBe(1),
    )
    await exporter.export(batch('cart', ['b']), never)

    expect(await files()).toEqual(['all.ndjson', expect.stringMatching(/^all@.*Z\.ndjson$/)])
    expect(await bodies()).toEqual(['a', 'b'])
  })

  it('cuts what a crash left of a line before it closes the file, and deletes one without lines', async () => {
    await put('cart/2026-09-20.ndjson', `${line('a')}{"body`, 2)
    await put('shop/2026-09-20.ndjson', '', 2)

    await start({ close_after: '1h' })
    await soon(async () => expect(await files()).toHaveLength(1))

    expect(await bodies()).toEqual(['a'])
  })

  it('makes good what a crash left: begun compressions start anew, finished ones lose their original', async () => {
    const [first, second, third] = [ago(0.3), ago(0.2), ago(0.1)].map(
      (stamp) => `cart/2026-09-20@${stamp}.ndjson`,
    )
    await put(first, line('a'))
    await put(`${first}.gz.tmp`, gzipSync(line('a')).subarray(0, 10))
    await put(second, line('b'))
    await put(`${second}.gz`, gzipSync(line('b')))
    await put(third, line('c'))

    await start({ compression: 'gzip' })
    await soon(async () => expect(await files()).toEqual([`${first}.gz`, `${second}.gz`, `${third}.gz`]))

    expect(await bodies()).toEqual(['a', 'b', 'c'])
  })

  it('deletes closed files that are too old, compressed or not, and the folders they leave empty', async () => {
    await put(`20260901/cart@${ago(3)}.ndjson`, line('a'))
    await put(`20260901/shop@${ago(2.1)}.ndjson.gz`, gzipSync(line('b')))
    await put(`20260902/cart@${ago(1.9)}.ndjson`, line('c'))

    const { context } = await start({ max_days: 2 }, { path: '{YYYYMMDD}/{service.name}.ndjson' })
    await soon(async () =>
      expect(await context.value('sluice_file_deleted_total', { reason: 'max_days' })).toBe(2),
    )

    await soon(() => expect(existsSync(join(directory, '20260901'))).toBe(false))
    expect(await bodies()).toEqual(['c'])
  })

  it('keeps the newest closed files of each path where their number is limited', async () => {
    for (const [service, days] of [
      ['cart', 4],
      ['cart', 3],
      ['cart', 2],
      ['shop', 9],
    ] as const)
      await put(`${service}@${ago(days)}.ndjson`, line(`${service}-${days}`))
    await put('cart.ndjson', line('cart-0'))

    const { context } = await start({ max_backups: 2 }, { path: '{service.name}.ndjson' })
    await soon(async () =>
      expect(await context.value('sluice_file_deleted_total', { reason: 'max_backups' })).toBe(1),
    )

    expect(await bodies()).toEqual(['cart-0', 'cart-2', 'cart-3', 'shop-9'])
  })

  it("deletes and compresses nobody else's files, nor through a link", async () => {
    const elsewhere = await temporaryFolder('elsewhere')
    stops.push(() => elsewhere.remove())
    const old = `2026-09-01@${ago(90)}.ndjson`
    const notes = `cart/notes@${ago(90)}.txt`
    await writeFile(join(elsewhere.path, old), 'precious')
    await symlink(elsewhere.path, join(directory, 'linked'))
    await put(notes, 'notes')
    await put(`cart/deeper/${old}`, 'notes')
    await put(`cart/${old}.bak`, 'notes')
    await put(`cart/${old}`, line('a'))

    const { exporter, context } = await start({ max_days: 1, compression: 'gzip' })
    await soon(async () => expect(await context.value('sluice_file_deleted_total')).toBe(1))
    await exporter.stop?.(never)

    const left = [`cart/${old}.bak`, `cart/deeper/${old}`, notes]
    expect(await files()).toEqual(left.sort())
    expect(await readFile(join(elsewhere.path, old), 'utf8')).toBe('precious')
  })

  it('says what cannot be compressed, and goes on with the others and with writing', async () => {
    const [bad, good] = [ago(2), ago(1)].map((stamp) => `cart@${stamp}.ndjson`)
    await put(bad, line('a'))
    await mkdir(join(directory, `${bad}.gz.tmp`))
    await put(good, line('b'))

    const { exporter, context } = await start({ compression: 'gzip' }, { path: '{service.name}.ndjson' })
    await soon(async () => expect(await files()).toContain(`${good}.gz`))
    await exporter.export(batch('cart', ['c']), never)

    expect(await context.value('sluice_file_errors_total', { operation: 'compress', reason: 'EISDIR' })).toBe(
      1,
    )
    await soon(() =>
      expect(context.states.at(-1)).toEqual({
        state: 'degraded',
        detail: `${bad} could not be dealt with (compress: EISDIR)`,
      }),
    )
    await rm(join(directory, `${bad}.gz.tmp`), { recursive: true })
    expect(await bodies()).toEqual(['a', 'b', 'c'])
  })

  it('stops in the middle of a compression, and leaves the file as it was', async () => {
    const name = `cart@${ago(1)}.ndjson`
    await put(name, '')
    await truncate(join(directory, name), 2 ** 30)

    const { exporter } = await start({ compression: 'gzip' }, { path: '{service.name}.ndjson' })
    await soon(() => expect(existsSync(join(directory, `${name}.gz.tmp`))).toBe(true))
    await exporter.stop?.(never)

    expect(await files()).toEqual([name])
  })
})
