import { randomBytes, randomInt } from 'node:crypto'
import { pino } from 'pino'
import type { z } from 'zod'
import { config } from '../../../../exporters/elasticsearch/config.ts'
import { elasticsearch } from '../../../../exporters/elasticsearch/index.ts'
import type { setupConfig } from '../../../../exporters/elasticsearch/setup/config.ts'
import { setupOf } from '../../../../exporters/elasticsearch/setup/index.ts'
import { LogBatch } from '../../../../src/logs/batch.ts'
import type { DestinationSetup, SetupPlan } from '../../../../src/setup.ts'
import { never, testContext } from '../../../support/component.ts'
import { payloads } from '../payloads.ts'

export type Setup = NonNullable<z.input<typeof setupConfig>>

/** A server with names of its own on it, and what is asked of it. */
export class Place {
  readonly url: string
  /** Of datasets, and of all that the setup makes. */
  readonly name = `t${randomBytes(4).toString('hex')}`
  /** Templates of different tests may overlap, and no two may be as good as each other. */
  readonly #priority = randomInt(1000, 2 ** 24) * 100
  readonly #authorization: string | undefined

  constructor(url: string, authorization?: string) {
    this.url = url
    this.#authorization = authorization
  }

  /** Settings of an exporter. */
  settings(setup: Setup, more: object = {}): object {
    return {
      endpoint: this.url,
      ...(this.#authorization && { headers: { authorization: this.#authorization } }),
      setup: {
        prefix: this.name,
        priority: { otel: this.#priority + 50, ecs: this.#priority },
        datasets: [this.name, `${this.name}.*`],
        replicas: 0,
        ...setup,
      },
      ...more,
    }
  }

  setup(setup: Setup, more: object = {}): DestinationSetup {
    return setupOf(config.parse(this.settings(setup, more)), {
      log: pino({ level: 'silent' }),
      signal: never,
    })
  }

  async call(
    method: string,
    path: string,
    body?: object,
  ): Promise<{ status: number; json: Record<string, unknown> }> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(this.#authorization && { authorization: this.#authorization }),
      },
      ...(body && { body: JSON.stringify(body) }),
    })
    return { status: response.status, json: (await response.json()) as Record<string, unknown> }
  }

  /** Sends the records of four languages, and returns why some were refused. */
  async deliver(mode: 'otel' | 'ecs', dataset = this.name, more: object = {}): Promise<readonly string[]> {
    const settings = this.settings({}, { mapping: { mode }, document_id: 'attribute', ...more })
    const exporter = elasticsearch.create(elasticsearch.config.parse(settings as never), testContext())
    const reasons: string[] = []
    for (const { bytes } of await payloads(dataset)) {
      const batch = LogBatch.decode(bytes)
      batch.identify(Buffer.alloc(32, 1))
      await exporter.export(batch, never).catch((error: unknown) => reasons.push(String(error)))
    }
    await exporter.stop?.(never)
    await this.call('POST', `/${this.streams(mode, dataset)}/_refresh`)
    return reasons
  }

  streams(mode: 'otel' | 'ecs', dataset = this.name): string {
    return `logs-${dataset}${mode === 'otel' ? '.otel' : ''}-*`
  }

  async count(streams: string, query: object): Promise<number> {
    // Who writes may not ask for it.
    await this.call('POST', `/${streams}/_refresh`)
    const { json } = await this.call('POST', `/${streams}/_count`, { query })
    return (json as { count: number }).count
  }

  /** The settings and mappings of the index behind the data streams. */
  async index(
    streams: string,
  ): Promise<{ settings: Record<string, unknown>; mappings: Record<string, unknown> }> {
    const { json } = await this.call('GET', `/${streams}?flat_settings=true`)
    return Object.values(json)[0] as never
  }

  /** Takes what the setup made off a server that other tests use. */
  async clean(plan: SetupPlan): Promise<void> {
    for (const { path } of plan.steps.toReversed()) await this.call('DELETE', path.split('?')[0])
  }
}

export function statesOf({ steps }: SetupPlan): Record<string, number> {
  return Object.fromEntries(
    [...new Set(steps.map(({ state }) => state))].map((state) => [
      state,
      steps.filter((step) => step.state === state).length,
    ]),
  )
}
