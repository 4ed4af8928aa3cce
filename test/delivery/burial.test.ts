import { describe, expect, it } from 'vitest'
import { type Connector, type Exporter, RetryableError } from '../../src/component.ts'
import { burialOf } from '../../src/delivery/burial.ts'
import type { LogBatch } from '../../src/logs/batch.ts'
import { never, testContext } from '../support/component.ts'
import { batchOf, documentsOf, text } from '../support/otlp.ts'

const bodies = (batch: LogBatch): unknown[] => documentsOf(batch).map(({ body }) => body?.text)
const batch = () => batchOf(['a', 'b', 'c'].map((body) => ({ body: text(body) })))

/** A buffer that refuses letters as often as told. */
function connectorOf(failures = 0) {
  const kept: { bodies: unknown[]; reason: string; pipeline: string }[] = []
  let left = failures
  const connector = {
    bury: async (letters: { batch: LogBatch; reason: string; pipeline: string }): Promise<void> => {
      if (left-- > 0) throw new RetryableError('full')
      const { reason, pipeline } = letters
      kept.push({ bodies: bodies(letters.batch), reason, pipeline })
    },
  } as unknown as Connector
  return { connector, kept }
}

function burial(bury: Exporter['bury'], { failures = 0, timeout = 1000 } = {}) {
  const context = testContext()
  const { connector, kept } = connectorOf(failures)
  const exporter: Exporter = { export: async () => {}, ...(bury && { bury }) }
  const put = burialOf(exporter, { timeout }, context.metrics)(connector, 'logs/drain')
  const counted = () => context.value('sluice_dead_letter_log_records_total', { pipeline: 'logs/drain' })
  return { put, kept, counted }
}

describe('burying what an exporter was refused', () => {
  it('leaves it to the buffer where the exporter keeps none', async () => {
    const { put, kept, counted } = burial(undefined)

    await put(batch(), 'no', never)

    expect(kept).toEqual([{ bodies: ['a', 'b', 'c'], reason: 'no', pipeline: 'logs/drain' }])
    expect(await counted()).toBe(0)
  })

  it('leaves only that to the buffer which the exporter does not keep', async () => {
    const given: unknown[] = []
    const { put, kept, counted } = burial(async ({ batch: letters, reason, pipeline }) => {
      given.push([bodies(letters), reason, pipeline])
      return [1]
    })

    await put(batch(), 'no', never)

    expect(given).toEqual([[['a', 'b', 'c'], 'no', 'logs/drain']])
    expect(kept).toEqual([{ bodies: ['b'], reason: 'no', pipeline: 'logs/drain' }])
    expect(await counted()).toBe(2)
  })

  it('asks and counts once, however often the buffer fails to keep the rest', async () => {
    let asked = 0
    const { put, kept, counted } = burial(
      async () => {
        asked++
        return [0]
      },
      { failures: 2 },
    )
    const letters = batch()

    await expect(put(letters, 'no', never)).rejects.toThrow('full')
    await expect(put(letters, 'no', never)).rejects.toThrow('full')
    await put(letters, 'no', never)

    expect(kept).toHaveLength(1)
    expect(asked).toBe(1)
    expect(await counted()).toBe(2)
  })

  it('counts nothing that is not kept yet, and gives up an attempt in time', async () => {
    let attempts = 0
    const { put, counted } = burial(
      (_, signal) =>
        attempts++ > 0
          ? Promise.resolve([])
          : new Promise((_, reject) =>
              signal.addEventListener('abort', () => reject(signal.reason as Error)),
            ),
      { timeout: 20 },
    )
    const letters = batch()

    await expect(put(letters, 'no', never)).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(await counted()).toBe(0)
    await put(letters, 'no', never)

    expect(await counted()).toBe(3)
  })
})
