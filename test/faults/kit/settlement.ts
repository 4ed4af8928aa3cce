import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { eventually } from '../../e2e/sluice.ts'
import { MAIN } from '../../servers/runtime.ts'
import { bufferIsEmpty } from './buffer.ts'
import { Documents } from './documents.ts'
import { type HostileSink, honest } from './hostile-sink.ts'
import { judge, KEPT, type Verdict } from './oracle.ts'
import { conservation, type Path } from './path.ts'

const exec = promisify(execFile)

/** What became of every record, where some may be dead letters. */
export interface Settlement {
  /** As ever, but that dead letters are not lost. */
  readonly verdict: Verdict
  /** What the dead letters hold, as it arrives when they are replayed. */
  readonly letters: Documents
  /** Delivered, and a dead letter. */
  readonly both: readonly number[]
  readonly conservation: Awaited<ReturnType<typeof conservation>>
}

/**
 * Waits until the buffer is empty, replays the dead letters with the command line to a sink that is honest now, and
 * compares: acknowledged ⊆ delivered ∪ dead letters.
 */
export async function settle(path: Path<HostileSink>, timeout = 120_000): Promise<Settlement> {
  const { ledger } = path
  const { documents } = path.sink
  await bufferIsEmpty(path, timeout)
  const account = await conservation(path)
  const letters = await replayed(path, account.letters, timeout)

  const { lost, ...rest } = judge(ledger, documents)
  const ofLetters = judge(ledger, letters)
  const seqs = Array.from({ length: ledger.issued }, (_, seq) => seq)
  return {
    verdict: {
      lost: lost.filter((seq) => !letters.has(seq)),
      invented: [...rest.invented, ...ofLetters.invented],
      altered: [...rest.altered, ...ofLetters.altered],
      doubled: [...rest.doubled, ...ofLetters.doubled],
      collided: [...rest.collided, ...ofLetters.collided],
    },
    letters,
    both: seqs.filter((seq) => documents.has(seq) && letters.has(seq)),
    conservation: account,
  }
}

/** Sends what is in the dead letters to a place of its own. */
async function replayed(path: Path<HostileSink>, records: number, timeout: number): Promise<Documents> {
  const letters = new Documents()
  if (records === 0) return letters
  Object.assign(path.sink, { keepsIn: letters, move: honest, refuses: () => false })
  await exec(process.execPath, [MAIN, 'dlq', 'replay', '--all', '--config', path.drains[0].file])
  await eventually('the dead letters arrive', async () => letters.size >= records, timeout)
  await bufferIsEmpty(path, timeout)
  return letters
}

/** Fails the test unless every record is settled exactly once, and the metrics account for all. */
export function expectSettledOnce({
  verdict,
  letters,
  both,
  conservation: { received, accounted },
}: Settlement): void {
  expect(verdict).toEqual(KEPT)
  expect(both).toEqual([])
  expect(letters.repeated).toBe(0)
  expect(accounted).toBe(received)
}

/** Fails the test unless the acknowledged records in dead letters are those that `isRefused` tells. */
export function expectLetters(
  { ledger }: Path<HostileSink>,
  letters: Documents,
  isRefused: (seq: number) => boolean,
): void {
  const acknowledged = Array.from({ length: ledger.issued }, (_, seq) => seq).filter(
    (seq) => ledger.ackedAt(seq) > 0,
  )
  const refused = acknowledged.filter(isRefused)
  expect(refused.length).toBeGreaterThan(0)
  expect(acknowledged.filter((seq) => letters.has(seq))).toEqual(refused)
}
