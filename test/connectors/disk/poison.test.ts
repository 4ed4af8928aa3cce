import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { openElement } from '../../../src/buffer/element.ts'
import { lettersIn } from './dead-letters.ts'
import {
  batchOf,
  bodiesOf,
  consume,
  drain,
  eventually,
  GROUP,
  namesOf,
  newFolder,
  openBuffer,
} from './harness.ts'

/** Runs a process that delivers what is in the folder; what it says, and whether something killed it. */
function deliver(
  folder: string,
  maxDeliveries: number,
): { readonly lines: string[]; readonly killed: boolean } {
  const script = join(import.meta.dirname, 'fixtures/poisoned.ts')
  const { stdout, stderr, signal, status } = spawnSync(
    process.execPath,
    [script, folder, String(maxDeliveries)],
    { encoding: 'utf8' },
  )
  if (signal === null && status !== 0) throw new Error(stderr)
  return { lines: stdout.trim().split('\n'), killed: signal === 'SIGKILL' }
}

async function filled(...names: readonly string[]): Promise<string> {
  const folder = newFolder()
  const buffer = await openBuffer(folder)
  await buffer.pushNamed(...names)
  await buffer.stop()
  return folder
}

describe('an element that ends the process each time it is delivered', { timeout: 240_000 }, () => {
  it('is buried after max_deliveries times, and nothing else is', async () => {
    const maxDeliveries = 3
    const folder = await filled('a', 'b', 'poison', 'c', 'd')
    const runs: ReturnType<typeof deliver>[] = []
    do runs.push(deliver(folder, maxDeliveries))
    while (runs.at(-1)?.killed)

    expect(runs.length).toBe(maxDeliveries + 1)
    const lines = runs.flatMap((run) => run.lines)
    for (const name of 'abcd') expect(lines).toContain(`delivered ${name}`)
    expect(runs.at(-1)?.lines).toContain('buried 1')
    const [letter, ...others] = await lettersIn(folder)
    expect(others).toEqual([])
    const batch = openElement(letter.payload)
    expect(bodiesOf(batch)).toEqual(['poison'])
    expect(batch.letter).toMatchObject({
      reason: `it was handed out ${maxDeliveries} times and never settled: delivering it fails in an unknown way, or ends the drain`,
      pipeline: GROUP,
    })
  })

  it('goes out alone from the third time on', async () => {
    const folder = await filled('a', 'poison', 'b', 'c')
    const runs = Array.from({ length: 3 }, () => deliver(folder, 5).lines)

    const tookNext = runs.map((lines) => lines.some((line) => line.startsWith('took b')))
    expect(tookNext).toEqual([true, true, false])
    expect(runs[2].at(-1)).toBe('took poison beside')
  })

  it('costs others that do the same nothing of theirs', async () => {
    const folder = await filled('poison 1', 'a', 'poison 2', 'b')
    let ends = 0
    while (deliver(folder, 3).killed) ends++

    expect((await lettersIn(folder)).flatMap(({ payload }) => bodiesOf(openElement(payload)))).toEqual([
      'poison 1',
      'poison 2',
    ])
    expect(ends).toBeLessThanOrEqual(6)
  })
})

describe('an element that comes back', () => {
  it('is buried after max_deliveries times, and counted', async () => {
    await using buffer = await openBuffer(newFolder(), { max_deliveries: 3 })
    await buffer.pushNamed('bad')
    const consumer = consume(buffer)
    for (let time = 0; time < 3; time++) await (await consumer.next()).release(0)

    await buffer.pushNamed('good')
    expect(namesOf([await consumer.next()])).toEqual(['good'])

    const { context } = buffer
    expect(
      await context.value('sluice_dead_letter_elements_total', { pipeline: GROUP, reason: 'deliveries' }),
    ).toBe(1)
    expect(await context.value('sluice_dead_letter_log_records_total', { pipeline: GROUP })).toBe(1)
    expect(await context.value('sluice_buffer_acked_log_records_total')).toBe(0)
    expect(await context.value('sluice_buffer_records')).toBe(1)
  })

  it('is not counted where the consumer stops', async () => {
    const folder = newFolder()
    await (await openBuffer(folder)).stop()
    for (let time = 0; time < 4; time++) {
      await using buffer = await openBuffer(folder, { max_deliveries: 3 })
      if (time === 0) await buffer.pushNamed('a')
      const consumer = consume(buffer)
      const lease = await consumer.next()
      await consumer.abort()
      await lease.release(0)
    }
    await using buffer = await openBuffer(folder, { max_deliveries: 3 })

    expect(await drain(buffer)).toEqual(['a'])
    expect(await buffer.context.value('sluice_dead_letter_records')).toBe(0)
  })

  it('is not counted where the process stops while it is out', async () => {
    const folder = newFolder()
    for (let time = 0; time < 4; time++) {
      await using buffer = await openBuffer(folder, { max_deliveries: 3 })
      if (time === 0) await buffer.pushNamed('a')
      await consume(buffer).next()
    }
    await using buffer = await openBuffer(folder, { max_deliveries: 3 })

    expect(await drain(buffer)).toEqual(['a'])
  })

  it('keeps its count over a restart', async () => {
    const folder = newFolder()
    const before = await openBuffer(folder, { max_deliveries: 3 })
    await before.pushNamed('bad', 'good')
    const consumer = consume(before)
    for (let time = 0; time < 2; time++) await (await consumer.next()).release(0)
    await consumer.abort()
    await before.stop()

    await using after = await openBuffer(folder, { max_deliveries: 3 })
    const again = consume(after)
    await (await again.next()).release(0)
    const next = await again.next()
    await next.ack()

    expect(namesOf([next])).toEqual(['good'])
    expect(await after.context.value('sluice_dead_letter_records')).toBe(1)
  })

  it('twice goes out alone, and what is newer after it', async () => {
    await using buffer = await openBuffer(newFolder())
    await buffer.pushNamed('a', 'suspect', 'c')
    const consumer = consume(buffer)
    const [a, first] = await consumer.take(2)
    await first.release(0)
    const second = await consumer.next()
    await second.release(0)
    expect(await consumer.tryNext(50)).toBeUndefined()

    await a.ack()
    const alone = await consumer.next()
    expect(await consumer.tryNext(50)).toBeUndefined()
    await alone.ack()
    const last = await consumer.next()

    expect(namesOf([second, alone, last])).toEqual(['suspect', 'suspect', 'c'])
  })

  it('twice waits no longer than ten seconds for what is out', async () => {
    await using buffer = await openBuffer(newFolder())
    await buffer.pushNamed('stuck', 'suspect')
    const consumer = consume(buffer)
    const [, first] = await consumer.take(2)
    await first.release(0)
    await (await consumer.next()).release(0)
    const pending = consumer.tryNext(30_000)
    const now = performance.now()
    vi.spyOn(performance, 'now').mockImplementation(() => now + 10_001)
    await buffer.pushNamed('news')

    const lease = await pending
    vi.restoreAllMocks()

    expect(lease && namesOf([lease])).toEqual(['suspect'])
  })
})

describe('an element that was never opened without ending the process', () => {
  it('is buried as it is', async () => {
    const folder = await filled('bad')
    const buffer = await openBuffer(folder, { max_deliveries: 3 })
    const consumer = consume(buffer)
    for (let time = 0; time < 3; time++) await (await consumer.next()).release(0)
    await consumer.abort()
    await buffer.stop()
    // As if burying it had ended the process: once more than allowed.
    const cursor = await import('../../../connectors/disk/cursor.ts').then(({ Cursor }) =>
      Cursor.open(folder, GROUP),
    )
    cursor?.deliveries.failed(0)
    await cursor?.close()

    await using after = await openBuffer(folder, { max_deliveries: 3 })
    const leases = consume(after)
    await leases.tryNext(50)
    await eventually(async () => (await after.context.value('sluice_dead_letter_records')) === 1)
    await leases.abort()
    await after.stop()

    const [letter] = await lettersIn(folder)
    expect(openElement(letter.payload).letter).toBeUndefined()
  })
})

describe('deliveries', () => {
  it('of a batch that succeeds are forgotten', async () => {
    await using buffer = await openBuffer(newFolder(), { max_deliveries: 3 })
    const consumer = consume(buffer)
    for (let element = 0; element < 3; element++) {
      await buffer.push(batchOf(1))
      await (await consumer.next()).release(0)
      await (await consumer.next()).release(0)
      await (await consumer.next()).ack()
    }

    expect(await buffer.context.value('sluice_dead_letter_records')).toBe(0)
    expect(await buffer.context.value('sluice_buffer_acked_log_records_total')).toBe(3)
  })
})
