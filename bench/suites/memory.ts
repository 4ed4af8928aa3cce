import { Bed, type Role } from '../bed.ts'
import { RSS_MIB } from '../budgets.ts'
import { type Case, figure } from '../figures.ts'
import { growthOf } from '../growth.ts'
import { fullLoad, type Suite } from './suite.ts'

const RECORDS = 500
const EVERY_SECONDS = 1
const ROLES: readonly Role[] = ['gateway', 'drain', 'redis']

/** Whether memory stays where it is under full load. */
export const memory: Suite = {
  name: 'memory',
  title: 'Resident memory over time under full load',
  async run(options, progress) {
    const { memoryMinutes, profile } = options
    progress(`memory: ${memoryMinutes} minutes`)
    await using bed = await Bed.open({ profile })
    const samples = new Map<Role, number[]>(ROLES.map((role) => [role, []]))
    const sampler = setInterval(() => {
      void bed.rssMib().then((now) => {
        for (const role of ROLES) samples.get(role)?.push(now.get(role) ?? 0)
      })
    }, EVERY_SECONDS * 1000)
    try {
      await bed.load({ ...fullLoad(options, RECORDS), seconds: memoryMinutes * 60 })
      await bed.drained()
    } finally {
      clearInterval(sampler)
    }
    const cases = ROLES.map((role): Case => {
      const values = samples.get(role) ?? []
      const growth = growthOf(values, EVERY_SECONDS)
      const budget = role === 'redis' ? undefined : { atMost: RSS_MIB }
      return {
        name: `${role}, ${growth.flat ? 'flat' : 'growing'}`,
        figures: [
          figure('max', { unit: 'MiB', runs: [Math.max(...values)], budget }),
          figure('at the end', { unit: 'MiB', runs: [values.at(-1) ?? 0] }),
          figure('growth', { unit: 'MiB/min', runs: [growth.perMinute] }),
        ],
      }
    })
    const series = ROLES.map((role) => ({
      name: role,
      unit: 'MiB',
      everySeconds: EVERY_SECONDS,
      values: samples.get(role) ?? [],
    }))
    return { suite: 'memory', title: memory.title, cases, series }
  },
}
