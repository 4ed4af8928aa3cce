import { Bed } from '../bed.ts'
import { READY_SECONDS } from '../budgets.ts'
import { type Case, figure } from '../figures.ts'
import { makePayload } from '../payload.ts'
import { until } from '../processes.ts'
import { withReference } from '../reference.ts'
import { ready, type Sluice } from '../sluice.ts'
import type { Suite } from './suite.ts'

const ASK_EVERY_MS = 5
const CASES = [
  { name: 'gateway with Redis', buffer: 'redis', role: 'gateway' },
  { name: 'gateway and drain with disk', buffer: 'disk', role: 'both' },
] as const

/** How long a process takes to take in logs, from `spawn` on: the run from sources, types stripped. */
export const start: Suite = {
  name: 'start',
  title: 'Seconds from the start of a process',
  async run({ runs }, progress) {
    const cases: Case[] = []
    for (const { name, buffer, role } of CASES) {
      progress(`start: ${name}`)
      const accepted: number[] = []
      const healthy: number[] = []
      const slowness: number[] = []
      while (accepted.length < runs) {
        await using bed = await Bed.open({ buffer, sluice: [] })
        const started = performance.now()
        const since = (): number => (performance.now() - started) / 1000
        const measured = await withReference(async () => {
          const sluice = await bed.start(role)
          return Promise.all([firstAccepted(sluice).then(since), ready(sluice, ASK_EVERY_MS).then(since)])
        })
        accepted.push(measured.result[0])
        healthy.push(measured.result[1])
        slowness.push(measured.slowness)
      }
      const budget = { atMost: READY_SECONDS }
      cases.push({
        name,
        figures: [
          figure('first request accepted', { unit: 's', runs: accepted, slowness, budget }),
          figure('healthy', { unit: 's', runs: healthy, slowness }),
          figure('slowness', { unit: 'times', runs: slowness }),
        ],
      })
    }
    return { suite: 'start', title: start.title, cases }
  },
}

async function firstAccepted({ ports }: Sluice): Promise<void> {
  const body = new Uint8Array(makePayload({ records: 1, seed: 1 }))
  const headers = { 'content-type': 'application/x-protobuf' }
  const probe = async (): Promise<true | undefined> => {
    const answer = await fetch(`http://127.0.0.1:${ports.http}/v1/logs`, { method: 'POST', headers, body })
    return answer.status === 200 ? true : undefined
  }
  await until(probe, { seconds: 20, what: 'the first accepted request', everyMs: ASK_EVERY_MS })
}
