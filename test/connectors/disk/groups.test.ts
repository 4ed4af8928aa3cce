import { describe, expect, it } from 'vitest'
import { batchOf, consume, drain, namesOf, newFolder, openBuffer, segmentsIn } from './harness.ts'

const BOTH = ['logs/one', 'logs/two']

describe('groups', () => {
  it('each get everything, at their own pace', async () => {
    await using buffer = await openBuffer(newFolder(), {}, BOTH)
    await buffer.pushNamed('a', 'b', 'c')

    const slow = await consume(buffer, 'logs/two').take(1)
    const fast = await drain(buffer, 'logs/one')

    expect(fast).toEqual(['a', 'b', 'c'])
    expect(namesOf(slow)).toEqual(['a'])
    expect(await buffer.context.value('sluice_buffer_records', { group: 'logs/one' })).toBe(0)
    expect(await buffer.context.value('sluice_buffer_records', { group: 'logs/two' })).toBe(3)
  })

  it('keep a segment until the last of them has passed it', async () => {
    const folder = newFolder()
    await using buffer = await openBuffer(folder, { segment_size: '4KiB', compression: 'none' }, BOTH)
    for (let i = 0; i < 20; i++) await buffer.push(batchOf(1, () => String(i).padEnd(1000, '.')))
    const all = await segmentsIn(folder)

    await drain(buffer, 'logs/one')
    const afterOne = await segmentsIn(folder)
    await drain(buffer, 'logs/two')
    await buffer.stop()

    expect(afterOne).toEqual(all)
    expect(await segmentsIn(folder)).toEqual([all.at(-1)])
  })

  it('each go on where they were after a restart', async () => {
    const folder = newFolder()
    const before = await openBuffer(folder, {}, BOTH)
    await before.pushNamed('a', 'b', 'c')
    for (const lease of await consume(before, 'logs/one').take(2)) await lease.ack()
    await before.stop()

    await using after = await openBuffer(folder, {}, BOTH)

    expect(await drain(after, 'logs/one')).toEqual(['c'])
    expect(await drain(after, 'logs/two')).toEqual(['a', 'b', 'c'])
  })

  it('that are new begin with the oldest that is still there', async () => {
    const folder = newFolder()
    const before = await openBuffer(folder, {}, ['logs/one'])
    await before.pushNamed('a', 'b', 'c')
    for (const lease of await consume(before, 'logs/one').take(1)) await lease.ack()
    await before.stop()

    await using after = await openBuffer(folder, {}, BOTH)

    expect(await after.context.value('sluice_buffer_records', { group: 'logs/two' })).toBe(3)
    expect(await drain(after, 'logs/two')).toEqual(['a', 'b', 'c'])
    expect(await drain(after, 'logs/one')).toEqual(['b', 'c'])
  })

  it('that are new begin empty when everything was delivered', async () => {
    const folder = newFolder()
    for (const groups of [['logs/one'], ['logs/one']]) {
      await using buffer = await openBuffer(folder, {}, groups)
      await buffer.pushNamed('a')
      await drain(buffer, 'logs/one')
    }
    await (await openBuffer(folder, {}, ['logs/one'])).stop()

    await using after = await openBuffer(folder, {}, BOTH)

    expect(await after.context.value('sluice_buffer_records')).toBe(0)
    await after.pushNamed('b')
    expect(await drain(after, 'logs/two')).toEqual(['b'])
  })

  it('that are gone hold nothing back', async () => {
    const folder = newFolder()
    const before = await openBuffer(folder, {}, BOTH)
    await before.pushNamed('a', 'b')
    await drain(before, 'logs/one')
    await before.stop()

    await (await openBuffer(folder, {}, ['logs/one'])).stop()

    expect(await segmentsIn(folder)).toEqual([])
  })

  it('that are all gone leave what they had not read to the next', async () => {
    const folder = newFolder()
    const before = await openBuffer(folder, {}, ['logs/one'])
    await before.pushNamed('a', 'b')
    await before.stop()
    await (await openBuffer(folder, {}, [])).stop()

    await using after = await openBuffer(folder, {}, ['logs/renamed'])

    expect(await drain(after, 'logs/renamed')).toEqual(['a', 'b'])
  })

  it('that take nothing hold nobody up until max_bytes, which counts what the slowest has left', async () => {
    await using buffer = await openBuffer(newFolder(), { max_bytes: '64KiB', compression: 'none' }, BOTH)
    const fast = consume(buffer, 'logs/one')
    await buffer.pushNamed('first')
    const slow = consume(buffer, 'logs/two')
    const stuck = await slow.next()
    let delivered = 0
    const deliver = async (): Promise<void> => {
      await (await fast.next()).ack()
      delivered++
    }
    await deliver()
    let refused: string | undefined
    while (refused === undefined) {
      refused = await buffer.push(batchOf(1, () => 'x'.repeat(4000))).then(
        () => undefined,
        (error: { reason: string }) => error.reason,
      )
      if (refused === undefined) await deliver()
    }

    expect(refused).toBe('full')
    expect(delivered).toBeGreaterThan(12)
    expect(await buffer.context.value('sluice_buffer_records', { group: 'logs/one' })).toBe(0)

    await stuck.ack()
    await slow.abort()
    await drain(buffer, 'logs/two')
    await buffer.pushNamed('again')
    await deliver()
  })
})
