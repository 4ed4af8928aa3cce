import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runs } from '../../support/arbitraries.ts'
import { bodiesOf, consume, drain, named, newFolder, openBuffer } from './harness.ts'

const SETTINGS = { segment_size: '4KiB', compression: 'none' }

type Step =
  | { readonly kind: 'push' | 'take' | 'restart' | 'consumeAnew' }
  | { readonly kind: 'ack' | 'release'; readonly which: number }

const which = fc.nat(20)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'push' } as const) },
  { weight: 4, arbitrary: fc.constant({ kind: 'take' } as const) },
  { weight: 3, arbitrary: which.map((index) => ({ kind: 'ack', which: index }) as const) },
  { weight: 2, arbitrary: which.map((index) => ({ kind: 'release', which: index }) as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'consumeAnew' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' } as const) },
)

describe('a buffer, whatever is done with it,', () => {
  it('hands out what is not acknowledged, nothing else, and knows how much that is', {
    timeout: 60_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 80 }), async (steps) => {
        const folder = newFolder()
        let buffer = await openBuffer(folder, SETTINGS)
        let consumer = consume(buffer)
        const waiting = new Set<string>()
        const released = new Set<string>()
        let held: { name: string; lease: Awaited<ReturnType<typeof consumer.next>> }[] = []
        let acked: string[] = []
        let pushed = 0
        for (const { kind, ...rest } of steps) {
          const [chosen] = 'which' in rest && held.length > 0 ? held.splice(rest.which % held.length, 1) : []
          if (kind === 'push') {
            const name = `${pushed++} `.padEnd(700, '.')
            await buffer.push(named(name))
            waiting.add(name)
          } else if (kind === 'take' && held.length < waiting.size) {
            const lease = await consumer.next()
            const [name] = bodiesOf(lease.batch)
            expect(waiting.has(name) && held.every((other) => other.name !== name)).toBe(true)
            held.push({ name, lease })
          } else if (kind === 'ack' && chosen) {
            await chosen.lease.ack()
            waiting.delete(chosen.name)
            acked.push(chosen.name)
          } else if (kind === 'release' && chosen) {
            // Who comes back twice is handed out alone from then on: poison.test.ts has that.
            if (released.has(chosen.name)) held.push(chosen)
            else await chosen.lease.release(0)
            released.add(chosen.name)
          } else if (kind === 'consumeAnew') {
            await consumer.abort()
            consumer = consume(buffer)
            held = []
          } else if (kind === 'restart') {
            await consumer.abort()
            await buffer.stop()
            buffer = await openBuffer(folder, SETTINGS)
            consumer = consume(buffer)
            held = []
            // Acknowledged ahead of an older one: these come again, and only these.
            const oldest = Math.min(...[...waiting].map((name) => Number.parseInt(name, 10)))
            for (const name of acked) if (Number.parseInt(name, 10) > oldest) waiting.add(name)
            acked = acked.filter((name) => !waiting.has(name))
          }
          expect(await buffer.context.value('sluice_buffer_records')).toBe(waiting.size)
        }
        await consumer.abort()
        expect(new Set(await drain(buffer))).toEqual(waiting)
        await buffer.stop()
      }),
      runs(25),
    )
  })
})
