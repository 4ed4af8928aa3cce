import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { drain, newFolder, openBuffer } from './harness.ts'
import { startWriter } from './writer.ts'

interface Said {
  readonly pushed: readonly string[]
  readonly delivered: readonly string[]
}

/** Runs a process that fills the folder, kills it after a while, and returns what it said until then. */
async function killedWriter(folder: string, prefix: string, drains: boolean, afterMs: number): Promise<Said> {
  const writer = await startWriter(folder, prefix, drains)
  await sleep(afterMs)
  await writer.kill()
  const lines = writer.said().split('\n').slice(0, -1)
  const of = (word: string): string[] =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1))
  return { pushed: of('pushed'), delivered: of('delivered') }
}

describe('a process that is killed', { timeout: 240_000 }, () => {
  it.each([
    ['while it fills the buffer', false],
    ['while it fills and empties the buffer', true],
  ])('%s loses nothing that it acknowledged', async (_, drains) => {
    const folder = newFolder()
    const pushed: string[] = []
    const delivered: string[] = []
    for (let round = 0; round < 4; round++) {
      const said = await killedWriter(folder, String(round), drains, 20 + Math.random() * 150)
      expect(said.pushed.length).toBeGreaterThan(0)
      pushed.push(...said.pushed)
      delivered.push(...said.delivered)
    }

    await using buffer = await openBuffer(folder)
    const left = (await drain(buffer)).map((body) => body.split(' ')[0])

    const there = new Set([...delivered, ...left])
    expect(pushed.filter((name) => !there.has(name))).toEqual([])
    expect(new Set(left).size).toBe(left.length)
    if (drains) expect(delivered.length).toBeGreaterThan(0)
  })
})
