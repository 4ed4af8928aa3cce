import type { Sluice } from '../../e2e/sluice.ts'
import type { Load } from './load.ts'

export interface KillOptions {
  readonly victim: Pick<Sluice, 'kill' | 'restart'>
  readonly load: Load
  readonly rounds: number
  /** Records that are acknowledged between two kills at least: the victim lives, and is under load. */
  readonly between?: number
  /** Milliseconds that it lives after that, at most. */
  readonly upTo: number
  readonly random: () => number
}

/** Kills a process with SIGKILL under load and starts it again, `rounds` times. */
export async function killAgainAndAgain(options: KillOptions): Promise<void> {
  const { victim, load, rounds, between = 200, upTo, random } = options
  for (let round = 0; round < rounds; round++) {
    await load.progress(between)
    await new Promise((resolve) => setTimeout(resolve, random() * upTo))
    await victim.kill()
    await victim.restart()
  }
  await load.progress(between)
}
