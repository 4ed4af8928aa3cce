import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { numberText, textTable } from '../report/table.ts'
import { type Aftermath, crash, fillUntilKilled } from './crash.ts'
import { storesIn } from './packages.ts'
import { segments } from './segments.ts'
import { sqlite } from './sqlite.ts'
import type { StoreKind } from './store.ts'
import { throughput } from './throughput.ts'

/**
 * `node bench/stores/main.ts`: our segment log beside stores that exist, as a queue on disk: elements are written by 16
 * at once and count when they are on the disk, then they are read and removed in order. LMDB and LevelDB take part when
 * `--packages` names a folder in which `npm install lmdb classic-level` was run.
 */
const KIB = 1024
const MIB = 1024 * KIB
const CRASH_AFTER_MS = [150, 400, 900]
const WRITTEN = 'write MiB/s, CPU ms/MiB, written/byte, wait p50, p99 ms'
const DRAINED = 'drain MiB/s, CPU ms/MiB, written/byte, lost at kill -9, open ms'
const HEAD = ['', ...`${WRITTEN}, ${DRAINED}`.split(', ')]

const { values } = parseArgs({
  options: {
    packages: { type: 'string' },
    mib: { type: 'string', default: '256' },
    folder: { type: 'string' },
    fill: { type: 'string' },
    element: { type: 'string' },
  },
})
const missing: string[] = []
const kinds: StoreKind[] = [segments, sqlite]
if (values.packages === undefined) missing.push('lmdb', 'classic-level')
else kinds.push(...storesIn(values.packages, (name) => missing.push(name)))

if (values.fill !== undefined) {
  const kind = kinds.find(({ name }) => name === values.fill)
  if (kind === undefined || values.folder === undefined) throw new Error('--fill is for this program itself')
  await fillUntilKilled(await kind.open(values.folder), Number(values.element))
} else {
  for (const name of missing) console.log(`without ${name}: name a folder that has it with --packages`)
  // An eighth as many bytes: an element costs more than its bytes.
  await compare(200 * KIB, Number(values.mib) * MIB)
  await compare(8 * KIB, (Number(values.mib) / 8) * MIB)
}

async function compare(elementBytes: number, totalBytes: number): Promise<void> {
  const rows: string[][] = []
  for (const kind of kinds) {
    console.error(`… ${kind.name}, ${elementBytes / KIB} KiB`)
    const { write, drain, wait } = await inFolder((folder) =>
      throughput(kind, folder, elementBytes, totalBytes),
    )
    const args = ['--element', String(elementBytes)]
    if (values.packages !== undefined) args.push('--packages', values.packages)
    const crashes: Aftermath[] = []
    for (const after of CRASH_AFTER_MS) {
      crashes.push(await inFolder((folder) => crash(kind, folder, args, after)))
    }
    const sum = (of: (each: Aftermath) => number): number =>
      crashes.reduce((total, each) => total + of(each), 0)
    rows.push([
      kind.name,
      ...[write.mibPerSecond, write.cpuMsPerMib, write.amplification, wait.p50, wait.p99].map(numberText),
      ...[drain.mibPerSecond, drain.cpuMsPerMib, drain.amplification].map(numberText),
      `${sum(({ lost }) => lost)} of ${sum(({ acknowledged }) => acknowledged)}`,
      numberText(Math.max(...crashes.map(({ openMs }) => openMs))),
    ])
  }
  console.log(`\nelements of ${elementBytes / KIB} KiB, ${totalBytes / MIB} MiB in all`)
  console.log(textTable(HEAD, rows))
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(values.folder ?? tmpdir(), 'sluice-stores-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
