import { readdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { eventually } from '../e2e/sluice.ts'
import { makeFailingFsync } from './kit/failing-fsync.ts'
import { stopwatch } from './kit/figures.ts'
import { KEPT } from './kit/oracle.ts'
import { startDiskPath } from './kit/path.ts'
import { scaled, timeLimit } from './kit/scale.ts'

const ROUNDS = scaled(3, 60)
/** Milliseconds, counted from the first fsync that failed. */
const FAILING = 1_000

describe('F8: a disk whose fsync fails with EIO for a second, and loses what was written', {
  timeout: timeLimit(300, 1200),
}, () => {
  it('acknowledges nothing meanwhile, leaves the file alone, and loses nothing to a SIGKILL', async ({
    task,
  }) => {
    const report = stopwatch(task)
    await using fsync = await makeFailingFsync()
    await using path = await startDiskPath({ env: fsync.env })
    const { ledger, sink, gateway } = path
    await using load = path.load()
    const acknowledged: number[] = []

    for (let round = 0; round < ROUNDS; round++) {
      await sink.down()
      await load.progress(500)
      const failures = fsync.failures
      const files = await segments()
      fsync.on()
      await eventually('an fsync fails', async () => fsync.failures > failures + 1)
      // Whatever was synced before the first failure is answered by now: two have failed one after the other.
      const before = ledger.acknowledged
      await new Promise((resolve) => setTimeout(resolve, FAILING))
      acknowledged.push(ledger.acknowledged - before)
      fsync.off()
      await load.progress(500)
      expect((await segments()).filter((name) => !files.includes(name)).length).toBeGreaterThan(0)
      await gateway.kill()
      await gateway.restart()
      await sink.up()
      await load.progress(100)
    }
    await load.finish()

    const verdict = await path.verdict()
    report({
      name: 'F8 EIO',
      ...path,
      documents: sink.documents,
      verdict,
      more: { 'failed syncs': fsync.failures },
    })
    expect(verdict).toEqual(KEPT)
    expect(acknowledged).toEqual(acknowledged.map(() => 0))

    async function segments(): Promise<string[]> {
      return (await readdir(path.directory)).filter((name) => name.endsWith('.seg'))
    }
  })
})
