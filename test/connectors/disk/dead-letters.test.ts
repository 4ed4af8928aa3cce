import { readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openElement } from '../../../src/buffer/element.ts'
import { never } from '../../support/component.ts'
import { lettersIn, openLog } from './dead-letters.ts'
import {
  batchOf,
  bodiesOf,
  consume,
  corruptFilesIn,
  drain,
  eventually,
  GROUP,
  newFolder,
  noise,
  type OpenBuffer,
  openBuffer,
  segmentsIn,
} from './harness.ts'

describe('dead letters', () => {
  it('are kept with their ids, the reason, the pipeline and the time', async () => {
    const folder = newFolder()
    const buffer = await openBuffer(folder)
    await buffer.push(batchOf(4))
    const { batch } = await consume(buffer).next()
    const before = Date.now()

    const letters = { batch: batch.select([1, 3]), reason: 'mapping conflict', pipeline: GROUP }
    await buffer.connector.bury(letters, never)
    await buffer.stop()

    const [kept, ...more] = (await lettersIn(folder)).map(({ payload }) => openElement(payload))
    expect(more).toEqual([])
    expect(bodiesOf(kept)).toEqual(['record 1', 'record 3'])
    expect(kept.letter).toMatchObject({ reason: 'mapping conflict', pipeline: GROUP })
    expect(kept.letter?.buriedMs).toBeGreaterThanOrEqual(before)
    expect(kept.data.parts[0].id).toEqual(batch.data.parts[0].id)
  })

  it('are counted, also after a restart', async () => {
    const folder = newFolder()
    const before = await openBuffer(folder)
    await before.connector.bury({ batch: batchOf(3), reason: 'no', pipeline: GROUP }, never)
    await before.connector.bury({ batch: batchOf(4), reason: 'no', pipeline: 'logs/other' }, never)
    const counted = await before.context.value('sluice_dead_letter_log_records_total', { pipeline: GROUP })
    await before.stop()

    await using after = await openBuffer(folder)

    expect(counted).toBe(3)
    expect(await after.context.value('sluice_dead_letter_records')).toBe(7)
  })

  it('are taken when the buffer is full', async () => {
    await using buffer = await openBuffer(newFolder(), { max_bytes: '1KiB', min_free: '99.999%' })

    await buffer.connector.bury({ batch: batchOf(100), reason: 'no', pipeline: GROUP }, never)

    expect(await buffer.context.value('sluice_dead_letter_records')).toBe(100)
  })

  it('include an element that is no batch, as it is, and its neighbours are handed out', async () => {
    const folder = newFolder()
    await (await openBuffer(folder)).stop()
    const log = await openLog(folder)
    const good = batchOf(1)
    good.identify(Buffer.alloc(32))
    const [{ bytes }] = good.encode(1000)
    await log.append({ bytes, records: 1 })
    await log.append({ bytes: Buffer.from('no batch'), records: 5 })
    await log.append({ bytes, records: 1 })
    await log.close()

    const buffer = await openBuffer(folder)
    const bodies = await drain(buffer)
    const { context } = buffer
    await buffer.stop()

    expect(bodies).toEqual(['record 0', 'record 0'])
    expect((await lettersIn(folder)).map(({ payload }) => payload.toString())).toEqual(['no batch'])
    expect(await context.value('sluice_buffer_undecodable_elements_total', { group: GROUP })).toBe(1)
    expect(await context.value('sluice_dead_letter_log_records_total', { pipeline: GROUP })).toBe(5)
    expect(await context.value('sluice_buffer_acked_log_records_total')).toBe(2)
  })
})

describe('dead letters beyond their limit', () => {
  const bury = async ({ connector }: OpenBuffer, name: string): Promise<void> => {
    const batch = batchOf(2, (i) => `${name} ${i} ${noise(2000)}`)
    await connector.bury({ batch, reason: 'no', pipeline: GROUP }, never)
  }
  const dropped = ({ context }: OpenBuffer, reason: string): Promise<number> =>
    context.value('sluice_dead_letter_dropped_log_records_total', { reason })

  it('make room by the oldest, which are counted', async () => {
    const folder = newFolder()
    const buffer = await openBuffer(folder, { max_dead_letter_bytes: '64KiB' })
    for (let letter = 0; letter < 40; letter++) await bury(buffer, `letter ${letter}`)
    const value = (name: string): Promise<number> => buffer.context.value(name)
    await eventually(async () => (await value('sluice_dead_letter_bytes')) <= 65_536)
    await buffer.stop()
    const [kept, full] = [await value('sluice_dead_letter_records'), await dropped(buffer, 'full')]

    expect(full).toBeGreaterThan(20)
    expect(kept + full).toBe(80)
    const letters = (await lettersIn(folder)).flatMap(({ payload }) => bodiesOf(openElement(payload)))
    expect(letters.length).toBe(kept)
    expect(letters.at(-1)).toMatch(/^letter 39 1/)
  })

  it('are all kept where there is none', async () => {
    await using buffer = await openBuffer(newFolder(), { max_dead_letter_bytes: '0', segment_size: '4KiB' })
    for (let letter = 0; letter < 10; letter++) await bury(buffer, String(letter))

    expect(await buffer.context.value('sluice_dead_letter_records')).toBe(20)
    expect(await dropped(buffer, 'full')).toBe(0)
  })

  it('of age go at the next start, and stay until then', async () => {
    const folder = newFolder()
    const before = await openBuffer(folder, { max_dead_letter_age: '1h' })
    await bury(before, 'old')
    await before.stop()
    const [segment] = await segmentsIn(join(folder, 'dead'))
    const anHourAgo = Date.now() / 1000 - 3601
    utimesSync(join(folder, 'dead', segment), anHourAgo, anHourAgo)
    const again = await openBuffer(folder, { max_dead_letter_age: '2h' })
    const keptFor2h = await again.context.value('sluice_dead_letter_records')
    await bury(again, 'new')
    await again.stop()

    await using after = await openBuffer(folder, { max_dead_letter_age: '1h' })

    expect(keptFor2h).toBe(2)
    expect(await dropped(after, 'age')).toBe(2)
    expect(await after.context.value('sluice_dead_letter_records')).toBe(2)
  })
})

describe('copies of damaged parts', () => {
  async function damagedFolder(): Promise<string> {
    const folder = newFolder()
    const buffer = await openBuffer(folder, { compression: 'none' })
    for (let element = 0; element < 9; element++) await buffer.push(batchOf(1, () => noise(1000)))
    await buffer.stop()
    const path = join(folder, '0000000000000000.seg')
    const bytes = readFileSync(path)
    for (let at = 500; at < bytes.length - 1200; at += 2400) bytes[at] ^= 1
    writeFileSync(path, bytes)
    return folder
  }

  it('give way to newer ones beyond their limit', async () => {
    const folder = await damagedFolder()
    await using buffer = await openBuffer(folder, { max_corrupt_bytes: '3KiB' })

    expect((await corruptFilesIn(folder)).length).toBe(2)
    expect(await buffer.context.value('sluice_buffer_corrupt_bytes_total')).toBeGreaterThan(3500)
  })

  it('are not made where the limit is 0, and the damage is counted all the same', async () => {
    const folder = await damagedFolder()
    await using buffer = await openBuffer(folder, { max_corrupt_bytes: '0' })

    expect(await corruptFilesIn(folder)).toEqual([])
    expect(await buffer.context.value('sluice_buffer_corrupt_bytes_total')).toBeGreaterThan(3500)
  })
})
