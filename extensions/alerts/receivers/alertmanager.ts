import { backoff } from '../../../src/delivery/circuit.ts'
import { pause } from '../../../src/delivery/pause.ts'
import type { Alert } from '../alert.ts'
import type { Clock } from '../clock.ts'
import type { AlertmanagerConfig } from './config.ts'
import type { Poster } from './http.ts'
import { labelsOf, type Sender, timestamp } from './message.ts'
import { attempt, type News, type Receiver, type Telling } from './receiver.ts'

/** How many times `resend_interval` an alert counts as firing that is not told again. */
const VALID = 4

export interface AlertmanagerOptions {
  readonly url: string
  readonly settings: AlertmanagerConfig
  readonly poster: Poster
  readonly sender: Sender
  readonly telling: Telling
  readonly clock: Clock
}

/**
 * One Alertmanager of a cluster. It is sent the state of all alerts, not what has changed: so nothing is queued while it
 * is down, and the newest state is what it hears when it is back.
 */
export class Alertmanager implements Receiver {
  readonly #options: AlertmanagerOptions
  readonly #endpoint: string
  readonly #stopping = new AbortController()
  /** What fires, and what has ended and was not told yet; another severity is another alert here. */
  readonly #alerts = new Map<string, Alert>()
  #isDue = false
  #toldAt = Number.NEGATIVE_INFINITY
  #telling: Promise<void> | undefined

  constructor(options: AlertmanagerOptions) {
    this.#options = options
    this.#endpoint = `${options.url.replace(/\/+$/, '')}/api/v2/alerts`
  }

  tell({ now, firing, changes }: News): void {
    for (const { alert, before } of changes) {
      const ended = before && this.#alerts.get(keyOf({ ...alert, severity: before }))
      if (ended) this.#alerts.set(keyOf(ended), { ...ended, endedAt: now })
      this.#alerts.set(keyOf(alert), alert)
    }
    for (const alert of firing) this.#alerts.set(keyOf(alert), alert)
    const isTime = this.#alerts.size > 0 && now - this.#toldAt >= this.#options.settings.resend_interval
    if (changes.length > 0 || isTime) this.#isDue = true
    if (this.#isDue) this.#telling ??= this.#tellAll().finally(() => (this.#telling = undefined))
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#telling?.catch(() => {})
  }

  /** Tells until there is nothing new to tell. */
  async #tellAll(): Promise<void> {
    const { signal } = this.#stopping
    const { settings, telling, clock } = this.#options
    for (let failures = 0; this.#isDue && !signal.aborted; ) {
      this.#isDue = false
      const told = [...this.#alerts.values()]
      try {
        const outcome = await attempt(() => this.#post(told, clock()), telling, signal)
        if (outcome === 'failed') {
          this.#isDue = true
          await pause(backoff(settings.retry_on_failure, failures++), signal)
          continue
        }
      } catch {
        return
      }
      failures = 0
      this.#toldAt = clock()
      for (const alert of told) {
        const key = keyOf(alert)
        // One that has begun anew meanwhile is another one.
        if (alert.endedAt !== undefined && this.#alerts.get(key) === alert) this.#alerts.delete(key)
      }
    }
  }

  #post(alerts: readonly Alert[], now: number): Promise<void> {
    const { poster, sender, settings } = this.#options
    const body = alerts.map((alert) => ({
      labels: labelsOf(alert, sender),
      annotations: { summary: alert.summary, description: alert.description },
      startsAt: timestamp(alert.startedAt),
      endsAt: timestamp(alert.endedAt ?? now + VALID * settings.resend_interval),
    }))
    return poster.post(this.#endpoint, 'application/json', JSON.stringify(body), this.#stopping.signal)
  }
}

function keyOf({ id, severity }: Alert): string {
  return `${id} ${severity}`
}
