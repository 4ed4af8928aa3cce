import { pino } from 'pino'
import type { Alert, Occasion } from '../../../extensions/alerts/alert.ts'
import { AlertsConfig } from '../../../extensions/alerts/config.ts'
import type { News } from '../../../extensions/alerts/receivers/receiver.ts'
import { Watch } from '../../../extensions/alerts/watch.ts'
import type { Reading, ServiceStatus } from '../../../src/define.ts'
import { rateLimited } from '../../../src/telemetry/logger.ts'

export const WELL: ServiceStatus = { state: 'ok', uptimeMs: 0, components: {} }

/** `{ name: value }`, or with labels: `{ 'name{group=logs/drain}': value }`. */
export type Values = Readonly<Record<string, number>>

/** Something that was said of an alert, and how many seconds after the beginning. */
export interface Said {
  readonly at: number
  readonly occasion: Occasion
  readonly name: string
  readonly severity: string
  readonly labels: Readonly<Record<string, string>>
  readonly summary: string
}

/** A service in front of the rules: its values are what a test says, and time passes in steps of 5 seconds. */
export class Scene {
  readonly said: Said[] = []
  readonly counts = new Map<string, number>()
  readonly logged: string[] = []
  firing: readonly Alert[] = []
  status = WELL
  seconds = 0
  readonly #watch: Watch
  #values: Values = {}

  /** `settings` as in the config file. */
  constructor(settings: object = {}) {
    const log = pino({}, { write: (line: string) => void this.logged.push(line) })
    this.#watch = new Watch({
      settings: AlertsConfig.parse(settings),
      readings: async () => readings(this.#values),
      status: () => this.status,
      receivers: [{ tell: (news) => this.#hear(news), stop: async () => {} }],
      firing: (name, severity, count) => this.counts.set(`${name} ${severity}`, count),
      log,
      troubles: rateLimited(log, 0),
      clock: () => this.seconds * 1000,
    })
  }

  /** Looks once, and again every 5 seconds until `seconds` have passed; `values` may depend on the seconds since the beginning. */
  async pass(seconds: number, values: Values | ((seconds: number) => Values)): Promise<void> {
    for (const end = this.seconds + seconds; this.seconds < end; this.seconds += 5) {
      this.#values = typeof values === 'function' ? values(this.seconds) : values
      await this.#watch.look()
    }
  }

  /** When each alert was said to begin, change or end. */
  get story(): string[] {
    return this.said.map(({ at, occasion, name, severity }) => `${at}s ${occasion} ${name} ${severity}`)
  }

  #hear({ changes, firing }: News): void {
    this.firing = firing
    for (const { occasion, alert } of changes) {
      const { name, severity, labels, summary } = alert
      this.said.push({ at: this.seconds, occasion, name, severity, labels, summary })
    }
  }
}

function readings(values: Values): Reading[] {
  return Object.entries(values).map(([key, value]) => {
    const [, name, labels] = /^([^{]*)(?:\{(.*)\})?$/.exec(key) ?? []
    const pairs = (labels ?? '')
      .split(',')
      .filter(Boolean)
      .map((pair) => pair.split('='))
    return { name, labels: Object.fromEntries(pairs) as Record<string, string>, value }
  })
}
