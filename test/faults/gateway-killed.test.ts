import { describe, expect, it } from 'vitest'
import { stopwatch } from './kit/figures.ts'
import { killAgainAndAgain } from './kit/killer.ts'
import { KEPT } from './kit/oracle.ts'
import { startDiskPath, startRedisPath } from './kit/path.ts'
import { generator } from './kit/random.ts'
import { scaled, timeLimit } from './kit/scale.ts'

const ROUNDS = scaled(5, 100)
/** Milliseconds between the moment a gateway is at work and its end. */
const UP_TO = scaled(1_000, 4_000)

describe('F1: a gateway that is killed with SIGKILL under load, again and again', {
  timeout: timeLimit(300, 1800),
}, () => {
  it('has lost nothing that it acknowledged, with Redis behind it', async ({ task }) => {
    const report = stopwatch(task)
    await using path = await startRedisPath()
    await using load = path.load()

    const random = generator(1)
    await killAgainAndAgain({ victim: path.gateway, load, rounds: ROUNDS, upTo: UP_TO, random })
    await load.finish()

    const verdict = await path.verdict()
    report({ name: 'F1 redis', ...path, documents: path.sink.documents, verdict, more: { kills: ROUNDS } })
    expect(verdict).toEqual(KEPT)
  })

  it('has lost nothing that it acknowledged, with a folder behind it', async ({ task }) => {
    const report = stopwatch(task)
    await using path = await startDiskPath()
    await using load = path.load()

    const random = generator(2)
    await killAgainAndAgain({ victim: path.gateway, load, rounds: ROUNDS, upTo: UP_TO, random })
    await load.finish()

    const verdict = await path.verdict()
    report({ name: 'F1 disk', ...path, documents: path.sink.documents, verdict, more: { kills: ROUNDS } })
    expect(verdict).toEqual(KEPT)
  })
})
