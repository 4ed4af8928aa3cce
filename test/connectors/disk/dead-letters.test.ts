import { describe, expect, it } from 'vitest'
import { openElement } from '../../../src/buffer/element.ts'
import { never } from '../../support/component.ts'
import { lettersIn, openLog } from './dead-letters.ts'
import { batchOf, bodiesOf, consume, drain, GROUP, newFolder, openBuffer } from './harness.ts'

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
