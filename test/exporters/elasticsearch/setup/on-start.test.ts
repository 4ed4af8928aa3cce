import { describe, expect, it } from 'vitest'
import { SetupOnStart } from '../../../../exporters/elasticsearch/setup/on-start.ts'
import { RetryableError } from '../../../../src/component.ts'
import { type DestinationSetup, SetupError, type SetupPlan } from '../../../../src/setup.ts'
import { testContext } from '../../../support/component.ts'

const PLAN: SetupPlan = {
  server: 'Elasticsearch',
  notes: [],
  steps: [{ what: 'x', method: 'PUT', path: '/x', body: {}, state: 'missing', differences: [] }],
}

/** A server that throws these, one after the other, and then is fine. */
function serverThatThrows(...errors: readonly SetupError[]): {
  setup: DestinationSetup
  applied: () => number
} {
  const left = [...errors]
  let applied = 0
  const setup: DestinationSetup = {
    plan: async () => PLAN,
    apply: async () => {
      const error = left.shift()
      if (error) throw error
      applied++
    },
    installScreens: async () => [],
    close: async () => {},
  }
  return { setup, applied: () => applied }
}

describe('the setup before the first delivery', () => {
  it('is done once, however many deliveries wait for it', async () => {
    const { setup, applied } = serverThatThrows()
    const onStart = new SetupOnStart(() => setup, testContext())

    await Promise.all([onStart.done(), onStart.done()])
    await onStart.done()

    expect(applied()).toBe(1)
  })

  it('is tried again with the next delivery while no server answers', async () => {
    const { setup, applied } = serverThatThrows(new SetupError('nobody answers', { isTransient: true }))
    const onStart = new SetupOnStart(() => setup, testContext())

    await expect(onStart.done()).rejects.toThrow(RetryableError)
    await onStart.done()

    expect(applied()).toBe(1)
  })

  it('holds no delivery up where the server refuses it, and says why', async () => {
    const { setup, applied } = serverThatThrows(new SetupError('it needs manage_index_templates'))
    const context = testContext()
    const onStart = new SetupOnStart(() => setup, context)

    await onStart.done()
    await onStart.done()

    expect(applied()).toBe(0)
    expect(context.states).toEqual([
      { state: 'degraded', detail: 'not set up: it needs manage_index_templates' },
    ])
  })

  it('holds no delivery up where the settings leave nothing to set up', async () => {
    const context = testContext()
    await new SetupOnStart(() => {
      throw new SetupError('no templates for this mode')
    }, context).done()
    expect(context.states).toHaveLength(1)
  })
})
