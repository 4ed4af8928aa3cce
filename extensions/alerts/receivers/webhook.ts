import { backoff } from '../../../src/delivery/circuit.ts'
import { pause } from '../../../src/delivery/pause.ts'
import { bodyFor } from './bodies.ts'
import type { WebhookConfig } from './config.ts'
import type { Poster } from './http.ts'
import type { Message, Sender } from './message.ts'
import { attempt, type News, type Receiver, type Telling } from './receiver.ts'

const PAGERDUTY = 'https://events.pagerduty.com/v2/enqueue'

export interface WebhookOptions {
  readonly settings: WebhookConfig
  readonly poster: Poster
  readonly sender: Sender
  readonly telling: Telling
}

/**
 * A webhook: one message when an alert begins, changes its severity or ends, and one now and then while it lasts. While
 * it is down, only the last message about each alert waits.
 */
export class Webhook implements Receiver {
  readonly #options: WebhookOptions
  readonly #stopping = new AbortController()
  readonly #waiting = new Map<string, Message>()
  /** When something was last said of an alert that lasts. */
  readonly #toldAt = new Map<string, number>()
  #sending: Promise<void> | undefined

  constructor(options: WebhookOptions) {
    this.#options = options
  }

  tell({ now, firing, changes }: News): void {
    for (const { alert, occasion, before } of changes) {
      if (occasion === 'resolved') this.#toldAt.delete(alert.id)
      else this.#toldAt.set(alert.id, now)
      this.#add({ alert, occasion, before })
    }
    for (const alert of firing) {
      if (now - (this.#toldAt.get(alert.id) ?? now) < this.#options.settings.repeat_interval) continue
      this.#toldAt.set(alert.id, now)
      if (!this.#waiting.has(alert.id)) this.#add({ alert, occasion: 'repeat' })
    }
    if (this.#waiting.size > 0) this.#sending ??= this.#send().finally(() => (this.#sending = undefined))
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#sending?.catch(() => {})
  }

  #add(message: Message): void {
    const { id } = message.alert
    const waiting = this.#waiting.get(id)
    this.#waiting.set(id, waiting ? later(waiting, message) : message)
    const [oldest] = this.#waiting.keys()
    if (this.#waiting.size <= this.#options.settings.queue_size || oldest === undefined) return
    this.#waiting.delete(oldest)
    this.#options.telling.count('dropped')
  }

  /** Sends what waits, one after the other. */
  async #send(): Promise<void> {
    const { signal } = this.#stopping
    const { settings, telling } = this.#options
    for (let failures = 0; ; ) {
      const [next] = this.#waiting
      if (next === undefined || signal.aborted) return
      const [id, message] = next
      this.#waiting.delete(id)
      try {
        const outcome = await attempt(() => this.#post(message), telling, signal)
        if (outcome !== 'failed') {
          failures = 0
          continue
        }
        const newer = this.#waiting.get(id)
        this.#waiting.set(id, newer ? later(message, newer) : message)
        await pause(backoff(settings.retry_on_failure, failures++), signal)
      } catch {
        return
      }
    }
  }

  #post(message: Message): Promise<void> {
    const { poster, sender, settings } = this.#options
    const { url = PAGERDUTY, format, content_type } = settings
    const type = format === 'custom' ? content_type : 'application/json'
    return poster.post(url, type, bodyFor(settings, message, sender), this.#stopping.signal)
  }
}

/** What is left to say of two messages about the same alert: nobody has heard of the first one. */
function later(first: Message, second: Message): Message {
  const isBeginning = first.occasion === 'firing' && second.alert.endedAt === undefined
  if (isBeginning) return { ...second, occasion: 'firing', before: undefined }
  return { ...second, before: second.before && (first.before ?? second.before) }
}
