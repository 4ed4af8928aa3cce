import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { HEADER_BYTES } from '../../../connectors/disk/segment.ts'
import { canInstall, installPackages } from '../../servers/apt.ts'
import { temporaryFolder } from '../../servers/at-exit.ts'
import { which } from '../../servers/process.ts'
import { newFolder, segmentsIn } from './harness.ts'

interface Said {
  readonly results: unknown[]
  readonly states: string[]
  readonly fenced: number
  readonly readErrors: number
  readonly corruptBytes: number
}

/** Drained in the end. */
interface Drained {
  readonly names: string[]
  readonly cpuMs: number
}

const FIXTURES = join(import.meta.dirname, 'fixtures')
const NAMES = Array.from({ length: 12 }, (_, i) => `element ${i}`)

let shim: string
beforeAll(async () => {
  if (!which('cc') && canInstall())
    await installPackages(['gcc', 'libc6-dev'], () => which('cc') !== undefined)
  if (!which('cc'))
    throw new Error('a C compiler is needed as cc: install one (`apt-get install gcc libc6-dev`)')
  const { path } = await temporaryFolder('shim')
  shim = join(path, 'failing-disk.so')
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', shim, join(FIXTURES, 'failing-disk.c'), '-ldl'])
})

/** Runs `fixtures/on-failing-disk.ts` over a folder. Faults of the beginning concern the start too. */
function run(
  folder: string,
  commands: readonly string[],
  faultsAtStart?: string,
): Said & { syncs: string[] } {
  const faults = join(newFolder(), 'faults')
  if (faultsAtStart !== undefined) writeFileSync(faults, faultsAtStart)
  const out = execFileSync(process.execPath, [join(FIXTURES, 'on-failing-disk.ts'), folder, ...commands], {
    encoding: 'utf8',
    env: { ...process.env, LD_PRELOAD: shim, SLUICE_FAULTS: faults },
  })
  const log = `${faults}.log`
  const syncs = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []
  const short = syncs.map((line) => `${line.split(' ')[0]} ${basename(line)}`)
  return { ...(JSON.parse(out) as Said), syncs: short }
}

/** A folder with elements in several segments, and where the third record of a segment lies. */
async function filled(): Promise<{
  folder: string
  segments: string[]
  third: (segment: string) => number[]
}> {
  const folder = newFolder()
  run(
    folder,
    NAMES.map((name) => `push ${name}`),
  )
  const segments = await segmentsIn(folder)
  const third = (segment: string): number[] => {
    const bytes = readFileSync(join(folder, segment))
    let at = HEADER_BYTES
    for (let record = 0; record < 2; record++) at += 8 + bytes.readUInt32LE(at)
    return [at, at + 8 + bytes.readUInt32LE(at)]
  }
  return { folder, segments, third }
}

describe('on a disk whose fdatasync fails', { timeout: 60_000 }, () => {
  it('nothing is lost or doubled, and a segment is not synced again after a failure', async () => {
    const folder = newFolder()

    const said = run(folder, ['push a', 'push b', 'faults sync 1', 'push c', 'faults', 'push d', 'drain'])

    expect(said.results.slice(0, 4)).toEqual(['pushed', 'pushed', 'pushed', 'pushed'])
    expect((said.results[4] as Drained).names).toEqual(['a', 'b', 'c', 'd'])
    expect(said.fenced).toBe(1)
    expect(said.syncs).toEqual([
      'synced 0000000000000000.seg',
      'synced 0000000000000000.seg',
      'failed 0000000000000000.seg',
      'synced 0000000000000002.seg',
      'synced 0000000000000002.seg',
    ])
  })

  it('for good, pushes are refused and health says so, until it works again; nothing refused comes back', () => {
    const folder = newFolder()

    const said = run(folder, ['push a', 'faults sync 99', 'push b', 'push c', 'faults', 'push d'])
    const after = run(folder, ['drain'])

    expect(said.results).toEqual(['pushed', 'disk', 'disk', 'pushed'])
    expect(said.states).toEqual(['starting', 'ok', `degraded: ${folder} could not be written (EIO)`, 'ok'])
    expect((after.results[0] as Drained).names).toEqual(['a', 'd'])
  })
})

describe('on a disk that does not give back some bytes', { timeout: 60_000 }, () => {
  it('the element there is passed over after five attempts, without haste, and all others are delivered', async () => {
    const { folder, segments, third } = await filled()
    const [from, to] = third(segments[0])

    const said = run(folder, ['drain'], `read ${from + 100} ${from + 200} ${segments[0]}`)

    const { names, cpuMs } = said.results[0] as Drained
    expect(names).toEqual(NAMES.filter((name) => name !== 'element 2'))
    expect(said.readErrors).toBe(5)
    expect(said.corruptBytes).toBe(to - from)
    expect(said.states).toEqual([
      'starting',
      'ok',
      'degraded: reading the buffer for logs/drain went wrong (EIO); it is tried again',
      'ok',
    ])
    // It took three seconds and more of waiting.
    expect(cpuMs).toBeLessThan(1500)
  })

  it('of the segment that was written last it starts, takes new ones, and leaves the file as it is', async () => {
    const { folder, segments, third } = await filled()
    const last = segments[segments.length - 1]
    const { size } = statSync(join(folder, last))
    const [from, to] = third(last)
    const lost = Number(last.slice(0, 16)) + 2

    const kept = run(folder, ['push new'], `read ${from} ${from + 60} ${last}`)
    const sizeAfter = statSync(join(folder, last)).size
    const said = run(folder, ['drain'], `read ${from} ${from + 60} ${last}`)

    expect(kept.results).toEqual(['pushed'])
    expect(kept.corruptBytes).toBe(to - from)
    expect(sizeAfter).toBe(size)
    const { names } = said.results[0] as Drained
    expect(names).toEqual([...NAMES.filter((_, index) => index !== lost), 'new'])
  })

  it('that come back after a while, nothing is lost', async () => {
    const { folder, segments, third } = await filled()
    const [from] = third(segments[0])
    const faults = `read ${from} ${from + 60} ${segments[0]}`

    const said = run(folder, ['faultsfor 800', 'drain'], faults)

    expect((said.results.at(-1) as Drained).names).toEqual(NAMES)
    expect(said.readErrors).toBeGreaterThan(0)
    expect(said.corruptBytes).toBe(0)
  })
})
