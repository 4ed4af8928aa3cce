import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../../../test/e2e/sluice.ts'
import { mountSmallDisk } from '../../../test/faults/kit/small-disk.ts'
import { type TemporaryFolder, temporaryFolder } from '../../../test/servers/at-exit.ts'
import type { Batch } from '../../src/pipe/batch.ts'
import { recordsOf } from '../../src/pipe/tally.ts'
import { readSegment, saltOf } from '../../src/spill/format.ts'
import { type Replayed, Spill, type SpillEvents } from '../../src/spill/spill.ts'
import { spill as spillOptions } from '../pipe/kit/options.ts'

const PAYLOAD_BYTES = 20_000

/** Batch number `n`, of a size that leaves three to a segment of the smallest size. */
const batchOf = (n: number, size = PAYLOAD_BYTES): Batch => ({
  bytes: Buffer.alloc(size, `batch ${n};`),
  records: n + 1,
  tally: new Map([[9, { records: n + 1, bytes: size }]]),
})
const numberOf = ({ bytes }: Batch): number =>
  Number(/batch (\d+);/.exec(bytes.toString('latin1', 0, 20))?.[1])

interface Told {
  readonly lines: string[]
  lost: number
}

describe('the spill', () => {
  let folder: TemporaryFolder
  let told: Told
  let open: Spill[]

  beforeEach(async () => {
    folder = await temporaryFolder('spill')
    told = { lines: [], lost: 0 }
    open = []
  })

  afterEach(async () => {
    for (const spill of open) spill.close()
    await folder.remove()
  })

  const events = (): SpillEvents => ({
    damaged: (lost, bytes) => {
      told.lost += recordsOf(lost)
      told.lines.push(`${bytes} bytes are damaged`)
    },
    warn: (_, message) => told.lines.push(message),
  })

  const start = (more: Partial<ReturnType<typeof spillOptions>> = {}, directory = folder.path): Spill => {
    const spill = new Spill({ ...spillOptions(directory), maxBytes: 512 * 1024, ...more }, events())
    open.push(spill)
    return spill
  }

  /** Ends it as a crash does: its folder stays as it is, with the mark of a process that is gone. */
  const crash = (spill: Spill): void => {
    const left = `${folder.path}-left`
    cpSync(folder.path, left, { recursive: true })
    spill.close()
    cpSync(left, folder.path, { recursive: true })
    rmSync(left, { recursive: true })
    open.splice(open.indexOf(spill), 1)
    for (const name of readdirSync(folder.path)) {
      const mark = join(folder.path, name, 'owner.json')
      writeFileSync(mark, readFileSync(mark, 'utf8').replace(/"started":"\d+"/, '"started":"1"'))
    }
  }

  const keep = async (spill: Spill, ...numbers: number[]): Promise<void> => {
    for (const n of numbers) {
      const entry = spill.append(batchOf(n))
      expect(await entry.written).toBe(true)
      spill.leave(entry)
    }
  }

  const takeAll = async (spill: Spill): Promise<number[]> => {
    const numbers: number[] = []
    for (let next = await spill.take(); next !== undefined; next = await spill.take()) {
      numbers.push(numberOf(next.batch))
      spill.finish(next)
    }
    return numbers
  }

  const files = (): string[] =>
    readdirSync(folder.path, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.seg'))

  it('gives back what was left, in order, byte for byte', async () => {
    const spill = start()
    await keep(spill, 0, 1, 2, 3, 4, 5, 6)

    const taken: Replayed[] = []
    for (let next = await spill.take(); next !== undefined; next = await spill.take()) {
      taken.push(next)
      spill.finish(next)
    }

    expect(taken.map(({ batch }) => batch)).toEqual(
      [0, 1, 2, 3, 4, 5, 6].map((n) => expect.objectContaining({ ...batchOf(n) })),
    )
    expect(files()).toEqual([])
    expect(spill.bytes).toBe(0)
  })

  it('goes on with what comes while it is read', async () => {
    const spill = start()
    await keep(spill, 0, 1)
    const first = await spill.take()
    await keep(spill, 2)

    expect(first && numberOf(first.batch)).toBe(0)
    spill.finish(first as Replayed)
    expect(await takeAll(spill)).toEqual([1, 2])
  })

  it('keeps what is in memory too from the replay until it is left to it', async () => {
    const spill = start()
    const entries = [0, 1, 2, 3, 4].map((n) => spill.append(batchOf(n)))
    await Promise.all(entries.map(({ written }) => written))

    spill.settle(entries[0])
    spill.leave(entries[1])
    expect(await takeAll(spill)).toEqual([1])
    spill.leave(entries[4])
    spill.settle(entries[2])
    expect(await takeAll(spill)).toEqual([4])
    spill.leave(entries[3])
    expect(await takeAll(spill)).toEqual([3])
    expect(files()).toEqual([])
  })

  it('does what was wanted of a batch while it was being written', async () => {
    const spill = start()
    const [first, second, third] = [0, 1, 2].map((n) => spill.append(batchOf(n)))
    spill.settle(first)
    spill.leave(second)
    spill.settle(third)
    await third.written

    expect(await takeAll(spill)).toEqual([1])
  })

  it('writes at once what waits when the process ends', async () => {
    const spill = start()
    const entries = [0, 1].map((n) => spill.append(batchOf(n)))
    const last = spill.appendSync(batchOf(2))

    expect([...entries, last].map(({ state }) => state)).toEqual(['stored', 'stored', 'stored'])
    for (const entry of [...entries, last]) spill.leave(entry)
    expect(await takeAll(spill)).toEqual([0, 1, 2])
  })

  it('is read while it is written to without a pause', async () => {
    const spill = start({ maxBytes: 64 * 2 ** 20 })
    await keep(spill, 0)
    let writing = true
    const write = async (): Promise<void> => {
      // There is always one more behind the one that is under way.
      let next = spill.append(batchOf(1, 1000))
      while (writing) {
        const entry = next
        next = spill.append(batchOf(1, 1000))
        await entry.written
        spill.settle(entry)
      }
      await next.written
      spill.settle(next)
    }
    const written = write()

    const taken = await spill.take()
    writing = false
    await written

    expect(taken && numberOf(taken.batch)).toBe(0)
  })

  it('leaves nothing behind when it is closed and all is settled', async () => {
    const spill = start()
    const entry = spill.append(batchOf(0))
    await entry.written
    spill.settle(entry)
    spill.close()

    expect(readdirSync(folder.path)).toEqual([])
  })

  it('is for nobody else to read', async () => {
    const directory = join(folder.path, 'made', 'here')
    await keep(start({}, directory), 0)

    const modes = readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((name) => {
      const { mode } = statSync(join(directory, name))
      return (mode & 0o777).toString(8)
    })
    expect(modes.toSorted()).toEqual(['600', '600', '700'])
    expect((statSync(directory).mode & 0o777).toString(8)).toBe('700')
  })

  describe('of a process that is gone', () => {
    it('is taken over, oldest first', async () => {
      const first = start()
      await keep(first, 0, 1, 2, 3)
      first.close()
      const second = start()
      await keep(second, 4)
      crash(second)

      const third = start()
      await keep(third, 5)
      await third.adopt()

      expect(await takeAll(third)).toEqual([0, 1, 2, 3, 4, 5])
      expect(readdirSync(folder.path)).toHaveLength(1)
    })

    it('does not come again with what was settled', async () => {
      const first = start()
      await keep(first, 0, 1, 2, 3)
      for (let n = 0; n < 2; n++) first.finish((await first.take()) as Replayed)
      const marked = (): boolean => {
        const [name] = files().toSorted()
        return (
          readSegment(readFileSync(join(folder.path, name)), saltOf(basename(name)) ?? '').batches.length ===
          1
        )
      }
      await eventually('that is written down', async () => marked())
      crash(first)

      const second = start()
      await second.adopt()

      expect(await takeAll(second)).toEqual([2, 3])
    })

    it('goes to one of those who want it, each batch once', async () => {
      const dead = start()
      await keep(dead, 0, 1, 2, 3, 4, 5, 6, 7, 8)
      dead.close()
      const heirs = [start(), start(), start()]

      await Promise.all(heirs.map((heir) => heir.adopt()))
      const all = await Promise.all(heirs.map(takeAll))

      expect(all.flat().toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    })

    it('is left alone while the process lives', async () => {
      const alive = start()
      await keep(alive, 0)
      const other = start()

      await other.adopt()

      expect(await takeAll(other)).toEqual([])
      expect(await takeAll(alive)).toEqual([0])
    })

    it('on another machine counts as gone when it has not been heard of for a minute', async () => {
      const far = start()
      await keep(far, 0)
      crash(far)
      const [name] = readdirSync(folder.path)
      const mark = join(folder.path, name, 'owner.json')
      writeFileSync(mark, readFileSync(mark, 'utf8').replace(/"place":"[^"]*"/, '"place":"elsewhere"'))
      const near = start()

      await near.adopt()
      expect(await takeAll(near)).toEqual([])
      const longAgo = new Date(Date.now() - 61_000)
      utimesSync(mark, longAgo, longAgo)
      await near.adopt()
      expect(await takeAll(near)).toEqual([0])
    })

    it('may have any other files in it', async () => {
      mkdirSync(join(folder.path, 'strange', 'folder'), { recursive: true })
      writeFileSync(join(folder.path, 'strange', 'owner.json'), '{')
      writeFileSync(join(folder.path, 'file'), 'text')
      const longAgo = new Date(Date.now() - 61_000)
      utimesSync(join(folder.path, 'strange'), longAgo, longAgo)
      const spill = start()

      await spill.adopt()

      expect(await takeAll(spill)).toEqual([])
      expect(readdirSync(folder.path)).toContain('file')
    })

    it('gives what can be read when it is damaged, and tells what is missing', async () => {
      const first = start()
      await keep(first, 0, 1, 2, 3, 4)
      crash(first)
      const [segment, tail] = files().toSorted()
      const path = join(folder.path, segment)
      const bytes = readFileSync(path)
      bytes[PAYLOAD_BYTES * 1.5] ^= 1
      writeFileSync(path, bytes)
      truncateSync(join(folder.path, tail), PAYLOAD_BYTES * 1.5)
      const second = start()

      await second.adopt()

      expect(await takeAll(second)).toEqual([0, 2, 3])
      expect(told.lost).toBe(2 + 5)
      expect(told.lines).toEqual([
        expect.stringMatching(/bytes are damaged/),
        expect.stringMatching(/bytes are damaged/),
      ])
    })

    it('may be empty', async () => {
      const first = start()
      await keep(first, 0)
      crash(first)
      truncateSync(join(folder.path, files()[0]), 0)
      const second = start()

      await second.adopt()

      expect(await takeAll(second)).toEqual([])
      expect(files()).toEqual([])
    })
  })

  describe('that is full', () => {
    it('takes nothing more until there is room again', async () => {
      const spill = start({ maxBytes: 90_000 })
      await keep(spill, 0, 1, 2, 3)

      expect(spill.hasRoom(PAYLOAD_BYTES)).toBe(false)
      const entry = spill.append(batchOf(4))
      expect([await entry.written, entry.state]).toEqual([false, 'spill_full'])
      expect(spill.appendSync(batchOf(4)).state).toBe('spill_full')
      expect(await takeAll(spill)).toEqual([0, 1, 2, 3])
      await keep(spill, 5)
      expect(await takeAll(spill)).toEqual([5])
    })

    it('counts what is on its way to the disk', async () => {
      const spill = start({ maxBytes: 90_000 })
      const entries = [0, 1, 2, 3, 4, 5].map((n) => spill.append(batchOf(n)))

      const written = await Promise.all(entries.map(({ written }) => written))

      expect(written).toEqual([true, true, true, true, false, false])
    })
  })

  it('outlives a disk that is full', async () => {
    await using disk = await mountSmallDisk(1)
    const spill = start({ maxBytes: 64 * 2 ** 20 }, disk.path)
    await keep(spill, 0, 1)
    disk.fill()

    const large = spill.append(batchOf(2, 300_000))
    expect([await large.written, large.state]).toEqual([false, 'spill_full'])
    expect(spill.hasRoom(1)).toBe(false)
    expect(spill.appendSync(batchOf(3, 300_000)).state).toBe('spill_full')
    disk.clear()
    await keep(spill, 4)

    expect(await takeAll(spill)).toEqual([0, 1, 4])
    expect(told.lost).toBe(0)
    expect(told.lines).toEqual(Array(2).fill(expect.stringMatching(/cannot be written to .*ENOSPC/)))
  })

  it('says why it cannot be opened', () => {
    writeFileSync(join(folder.path, 'file'), '')

    expect(() => start({}, join(folder.path, 'file', 'folder'))).toThrow(/ENOTDIR/)
  })

  it('outlives its folder', async () => {
    const spill = start()
    await keep(spill, 0)
    rmSync(folder.path, { recursive: true })

    expect(await takeAll(spill)).toEqual([])
    const entry = spill.append(batchOf(1))
    await entry.written
    spill.close()
  })
})
