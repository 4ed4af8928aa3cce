import { Load } from './load.ts'
import { parameters as p } from './parameters.ts'
import type { System } from './system.ts'
import type { Topology } from './topology.ts'

/** Something that happens to a running system. Times in milliseconds. */
export interface Scenario {
  readonly name: string
  readonly title: string
  readonly load: Load
  /** When it begins; before that all is as usual. */
  readonly beginsMs: number
  /** When the cause is over. What it left behind takes longer. */
  readonly endsMs: number
  /** When the simulation ends, at the latest: it ends as soon as all is as it was before. */
  readonly untilMs: number
  /** Plans what happens. */
  readonly play: (system: System) => void
}

export type ScenarioName = 'steady' | 'spike' | 'zone' | 'restart' | 'outage'

const MINUTE = 60_000
const LEAD = 3 * MINUTE
/** Time to recover, at most. */
const RECOVERY = 150 * MINUTE
const STEADY = 10 * MINUTE
const ZONE_AWAY = 10 * MINUTE
/** A rolling restart has more, all alike. */
const RESTART_ROUNDS = 6

export const scenarios: Readonly<Record<ScenarioName, (topology: Topology) => Scenario>> = {
  steady: () => scenario('steady', 'steady', STEADY - LEAD, () => {}),

  spike: () => {
    const { spikeFactor, spikeMinutes } = p
    const lasts = spikeMinutes.value * MINUTE
    const load = new Load([
      [LEAD, spikeFactor.value],
      [LEAD + lasts, 1],
    ])
    return {
      ...scenario('spike', `spike ×${spikeFactor.value}, ${spikeMinutes.value} min`, lasts, () => {}),
      load,
    }
  },

  zone: () =>
    scenario('zone', 'a zone lost, 10 min', ZONE_AWAY, (system) => {
      const { clock } = system
      clock.after(LEAD, () => system.loseZone(0))
      clock.after(LEAD + ZONE_AWAY, () => system.regainZone(0))
    }),

  restart: ({ elasticsearch: { nodes, balanced } }) => {
    const atATime = Math.max(1, Math.round(nodes * p.restartShare.value))
    const rounds = Math.min(RESTART_ROUNDS, Math.ceil(nodes / atATime))
    const each = p.restartSeconds.value * 1000
    return scenario('restart', 'Elasticsearch rolling restart', rounds * each, ({ clock, elasticsearch }) => {
      for (let round = 0; round < rounds; round++) {
        const from = round * atATime
        clock.after(LEAD + round * each, () => {
          elasticsearch.stall(p.restartStall.value * 1000)
          elasticsearch.away(from, Math.min(nodes, from + atATime), balanced ? 'passed_over' : 'refused')
        })
      }
      clock.after(LEAD + rounds * each, () => elasticsearch.away(0, 0, 'passed_over'))
    })
  },

  outage: () => outageOf(p.outageMinutes.value),
}

/** Elasticsearch takes nothing for some minutes. */
export function outageOf(minutes: number): Scenario {
  const lasts = minutes * MINUTE
  return scenario('outage', `Elasticsearch away, ${minutes} min`, lasts, ({ clock, elasticsearch }) => {
    clock.after(LEAD, () => elasticsearch.outage(true))
    clock.after(LEAD + lasts, () => elasticsearch.outage(false))
  })
}

function scenario(
  name: ScenarioName,
  title: string,
  lasts: number,
  play: (system: System) => void,
): Scenario {
  const endsMs = LEAD + lasts
  const untilMs = name === 'steady' ? endsMs : endsMs + RECOVERY
  return { name, title, load: new Load(), beginsMs: LEAD, endsMs, untilMs, play }
}
