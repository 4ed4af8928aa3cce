import { RetryableError } from '../../../src/component.ts'
import type { ComponentContext } from '../../../src/define.ts'
import { type DestinationSetup, SetupError } from '../../../src/setup.ts'

/**
 * Sets the server up before the first delivery. A server that is away is tried again with the delivery; where it
 * refuses, that is said once, and records go on: they wait for nobody's rights.
 */
export class SetupOnStart {
  readonly #begin: () => DestinationSetup
  readonly #context: Pick<ComponentContext, 'log' | 'health'>
  #running: Promise<void> | undefined
  #isOver = false

  constructor(begin: () => DestinationSetup, context: Pick<ComponentContext, 'log' | 'health'>) {
    this.#begin = begin
    this.#context = context
  }

  /** Throws `RetryableError` when the server could not be reached. */
  async done(): Promise<void> {
    if (this.#isOver) return
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
    await this.#running
  }

  async #run(): Promise<void> {
    const { log, health } = this.#context
    let setup: DestinationSetup | undefined
    try {
      setup = this.#begin()
      const plan = await setup.plan()
      const changes = plan.steps.filter(({ state }) => state === 'missing' || state === 'different')
      for (const note of plan.notes) log.info({ server: plan.server }, note)
      if (changes.length > 0) await setup.apply(plan)
      for (const { what, state } of changes) log.info({ what }, state === 'missing' ? 'created' : 'updated')
    } catch (error) {
      if (!(error instanceof SetupError)) throw error
      if (error.isTransient) throw new RetryableError(error.message, { cause: error, reason: 'setup' })
      log.error({ err: error.message }, 'the server could not be set up; records go to it as it is')
      health('degraded', `not set up: ${error.message}`)
    } finally {
      await setup?.close()
    }
    this.#isOver = true
  }
}
