import type { ComponentContext, HealthState } from '../../../src/define.ts'
import type { Finding } from './states.ts'

/** Says how a server is: in the health of the component at every look, in its log when something changes. */
export class Spokesman {
  readonly #context: ComponentContext
  readonly #address: string
  #told = ''

  /** `address`: what to call the server. */
  constructor(context: ComponentContext, address: string) {
    this.#context = context
    this.#address = address
  }

  /** `others`: what else is to be said of it; empty where there is nothing. */
  tell(findings: readonly Finding[], others: readonly string[]): void {
    const details = [
      ...findings.map(({ detail }) => this.#bare(detail)),
      ...others.filter((detail) => detail !== ''),
    ]
    const failed = findings.some(({ health }) => health === 'failed')
    const health: HealthState = failed ? 'failed' : details.length > 0 ? 'degraded' : 'ok'
    const sentence = this.sentence(details.join('; '))
    this.#context.health(health, sentence || undefined)
    // Figures in the text change with every look: only another kind of trouble is news.
    const kind = `${health} ${sentence.replaceAll(/\d+/g, '')}`
    if (kind === this.#told) return
    if (health !== 'ok') this.#context.log.warn({ health }, sentence)
    else if (this.#told !== '') this.#context.log.info(`${this.#address} is well again`)
    this.#told = kind
  }

  /** A detail with the name of the server before it. */
  sentence(detail: string): string {
    return detail === '' ? '' : `${this.#address} ${this.#bare(detail)}`
  }

  /** Errors of the client name the server themselves. */
  #bare(detail: string): string {
    return detail.startsWith(`${this.#address} `) ? detail.slice(this.#address.length + 1) : detail
  }
}
