import { describe, expect, it } from 'vitest'
import { openElement } from '../../src/buffer/element.ts'
import { consume, drain, newFolder, openBuffer } from '../connectors/disk/harness.ts'
import { documentsOf } from '../support/otlp.ts'
import { damageSegments, readSegments, type Stored } from './kit/damage.ts'
import { stopwatch } from './kit/figures.ts'
import { KEPT } from './kit/oracle.ts'
import { startDiskPath } from './kit/path.ts'
import { generator } from './kit/random.ts'
import { scaled, timeLimit } from './kit/scale.ts'

const SEEDS = scaled(30, 1_000)
const PROCESS_SEEDS = scaled(2, 30)
const TIMEOUT = { timeout: timeLimit(300, 3600) }

describe('F9: a folder that was cut, flipped and zeroed by chance', TIMEOUT, () => {
  const seeds = Array.from({ length: SEEDS }, (_, seed) => seed)

  it.each(seeds)('opens, gives every whole element, and counts the rest (seed %d)', async (seed) => {
    const random = generator(seed)
    const folder = newFolder()
    const settings = { segment_size: '4KiB', compression: random() < 0.5 ? 'none' : 'zstd' }
    const names = Array.from({ length: 5 + Math.floor(random() * 30) }, (_, i) =>
      `${seed}/${i} `.padEnd(20 + Math.floor(random() * 800), String(i)),
    )
    const before = await openBuffer(folder, settings)
    await before.pushNamed(...names)
    const settled = random() < 0.5 ? 0 : Math.floor(random() * names.length)
    for (const lease of await consume(before).take(settled)) await lease.ack()
    await before.stop()
    const segments = readSegments(folder)
    const whole = segments.flatMap(({ stored }) => stored)

    const { hit, bytes } = damageSegments(segments, random)
    await using after = await openBuffer(folder, settings)
    await after.pushNamed('new')
    const bodies = await drain(after)

    // Files whose elements were all delivered are gone.
    const left = names.slice(names.length - whole.length)
    const intact = left.filter((_, i) => i + names.length - whole.length >= settled && !hit.has(whole[i]))
    expect(bodies).toEqual([...intact, 'new'])
    expect(await after.context.value('sluice_buffer_corrupt_bytes_total')).toBe(bytes)
  })
})

describe('F9: a process that is killed, and whose files are damaged before it comes back', TIMEOUT, () => {
  it('delivers what is whole, and counts what is not', async ({ task }) => {
    const report = stopwatch(task)
    for (let seed = 0; seed < PROCESS_SEEDS; seed++) {
      await using path = await startDiskPath({ connector: { segment_size: '64KiB', linger: '1ms' } })
      const { ledger, sink, gateway } = path
      await sink.down()
      {
        await using load = path.load()
        await load.progress(1_500)
        await gateway.kill()
      }
      const { hit, bytes } = damageSegments(readSegments(path.directory), generator(seed))
      await gateway.restart()
      await sink.up()

      const verdict = await path.verdict()
      const gone = new Set([...hit].flatMap(recordsOf))
      const more = { seeds: PROCESS_SEEDS, 'damaged bytes': bytes, 'records in them': gone.size }
      report({ name: 'F9 process', ledger, documents: sink.documents, verdict, more })
      expect({ ...verdict, lost: [] }).toEqual(KEPT)
      expect(verdict.lost).toEqual([...gone].filter((seq) => ledger.ackedAt(seq) > 0).sort((a, b) => a - b))
      expect((await gateway.metrics()).sum('sluice_buffer_corrupt_bytes_total')).toBe(bytes)
    }
  })
})

/** The numbers of the records in an element. */
const recordsOf = ({ payload }: Stored): number[] =>
  documentsOf(openElement(payload)).map(({ attributes }) => Number(attributes.seq))
