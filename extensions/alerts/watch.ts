import type { Logger } from 'pino'
import type { Reading, ServiceStatus } from '../../src/define.ts'
import type { RateLimitedLog } from '../../src/telemetry/logger.ts'
import { type Alert, type Change, type Finding, SEVERITIES, type Severity } from './alert.ts'
import type { Clock } from './clock.ts'
import type { AlertsSettings } from './config.ts'
import { History } from './history.ts'
import type { Receiver } from './receivers/receiver.ts'
import { rules } from './rules/index.ts'
import type { Rule } from './rules/rule.ts'
import { type Tracked, Tracker } from './tracker.ts'

/** What the rules of the buffer look back to. */
const LEAST_HISTORY = 300_000

export interface WatchOptions {
  readonly settings: Pick<AlertsSettings, 'rules' | 'keep_firing_for'>
  readonly readings: () => Promise<readonly Reading[]>
  readonly status: () => ServiceStatus
  readonly receivers: readonly Receiver[]
  /** Told how many alerts of a kind there are, after each look. */
  readonly firing: (name: string, severity: Severity, count: number) => void
  readonly log: Logger
  readonly troubles: RateLimitedLog
  readonly clock: Clock
}

interface Active extends Tracked {
  readonly rule: Rule
  readonly settings: object
}

/** Looks at the service by the rules that are switched on, and tells the receivers what comes of it. */
export class Watch {
  readonly #options: WatchOptions
  readonly #rules: readonly Active[]
  readonly #history: History
  readonly #tracker: Tracker

  constructor(options: WatchOptions) {
    this.#options = options
    this.#rules = rules.flatMap((rule) => {
      const settings = options.settings.rules[rule.key] as { enabled: boolean; for: number }
      const description = `${rule.meaning} ${rule.action}`
      return settings.enabled ? { rule, settings, name: rule.name, description, forMs: settings.for } : []
    })
    const windows = this.#rules.map(({ settings }) => ('window' in settings ? Number(settings.window) : 0))
    this.#history = new History(Math.max(LEAST_HISTORY, ...windows))
    this.#tracker = new Tracker(options.settings.keep_firing_for)
  }

  /** Looks once, unless the service stops: what is missing then is missing on purpose. Never rejects. */
  async look(): Promise<void> {
    const { readings, status, receivers, clock, troubles } = this.#options
    if (status().state === 'stopping') return
    try {
      const seen = await readings()
      const now = clock()
      this.#history.add({ at: now, readings: seen, status: status() })
      const changes = this.#tracker.update(
        this.#rules.flatMap((active) => this.#find(active).map((finding) => [active, finding] as const)),
        now,
      )
      const { firing } = this.#tracker
      this.#show(firing, changes)
      for (const receiver of receivers) receiver.tell({ now, firing, changes })
    } catch (error) {
      troubles.warn('look', { err: error }, 'the rules could not look at the service')
    }
  }

  /** A rule that stumbles leaves the others be. */
  #find({ rule, settings }: Active): Finding[] {
    try {
      return rule.find(this.#history, settings)
    } catch (error) {
      this.#options.troubles.warn(rule.key, { err: error, rule: rule.key }, 'a rule failed')
      return []
    }
  }

  #show(firing: readonly Alert[], changes: readonly Change[]): void {
    for (const { name } of this.#rules) {
      for (const severity of SEVERITIES) {
        const those = firing.filter((alert) => alert.name === name && alert.severity === severity)
        this.#options.firing(name, severity, those.length)
      }
    }
    const { log } = this.#options
    for (const { occasion, alert } of changes) {
      const fields = { alert: alert.name, severity: alert.severity, ...alert.labels }
      if (occasion === 'resolved') log.info(fields, 'alert is over')
      else log.warn(fields, `alert: ${alert.summary}`)
    }
  }
}
