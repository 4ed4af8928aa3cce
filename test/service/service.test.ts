import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Push } from '../../src/component.ts'
import { loadConfig } from '../../src/config/config.ts'
import { defineConnector, defineExporter, defineProcessor, defineReceiver } from '../../src/define.ts'
import type { LogBatch } from '../../src/logs/batch.ts'
import { Service } from '../../src/service/service.ts'
import { never } from '../support/component.ts'
import { batchOf, documentsOf, text } from '../support/otlp.ts'

const config = z.strictObject({})
const CONFIG = `
receivers: { source: }
processors: { filter: }
connectors: { buffer: }
exporters: { sink: }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    logs/gateway: { receivers: [source], processors: [filter], exporters: [buffer] }
    logs/drain: { receivers: [buffer], exporters: [sink] }
`

/** Components that tell what happens to them, and a buffer in memory. */
function parts(failing?: string) {
  const events: string[] = []
  const delivered: unknown[] = []
  let push: Push = async () => {}
  const waiting: LogBatch[] = []
  let wake = (): void => {}
  const lifecycle = (name: string) => ({
    start: async () => {
      if (name === failing) throw new Error(`${name} cannot start`)
      events.push(`start ${name}`)
    },
    stop: async () => void events.push(`stop ${name}`),
  })
  const common = { summary: 'test', config, example: {} }
  const definitions = [
    defineReceiver({
      ...common,
      type: 'source',
      create: (_, context) => {
        push = context.push
        return lifecycle('source')
      },
    }),
    defineProcessor({
      ...common,
      type: 'filter',
      create: () => ({ ...lifecycle('filter'), process: () => {} }),
    }),
    defineConnector({
      ...common,
      type: 'buffer',
      create: (_, { groups }) => ({
        ...lifecycle(`buffer of ${groups.join()}`),
        push: async (batch) => {
          waiting.push(batch)
          wake()
        },
        async *leases(_group, signal) {
          signal.addEventListener('abort', () => wake())
          while (!signal.aborted) {
            const batch = waiting.shift()
            if (batch) yield { batch, ack: async () => void events.push('ack'), release: async () => {} }
            else await new Promise<void>((resolve) => (wake = resolve))
          }
        },
        bury: async () => {},
      }),
    }),
    defineExporter({
      ...common,
      type: 'sink',
      create: () => ({
        ...lifecycle('sink'),
        export: async (batch) => void delivered.push(...documentsOf(batch).map(({ body }) => body?.text)),
      }),
    }),
  ]
  return { events, delivered, definitions, send: (batch: LogBatch) => push(batch, never) }
}

const serviceOf = (of: ReturnType<typeof parts>, pipelines?: string[]): Service =>
  new Service(loadConfig('test.yaml', CONFIG, of.definitions), pino({ level: 'silent' }), { pipelines })

describe('a service', () => {
  it('starts from the sinks to the sources, and stops the other way round', async () => {
    const of = parts()
    const service = serviceOf(of)

    await service.start()
    await service.stop(never)

    const started = ['sink', 'buffer of logs/drain', 'filter', 'source']
    expect(of.events).toEqual([
      ...started.map((name) => `start ${name}`),
      ...started.toReversed().map((name) => `stop ${name}`),
    ])
  })

  it('brings a batch through both pipelines and acknowledges it', async () => {
    const of = parts()
    const service = serviceOf(of)
    await service.start()

    await of.send(batchOf([{ body: text('hello') }]))
    await expect.poll(() => of.events).toContain('ack')
    await service.stop(never)

    expect(of.delivered).toEqual(['hello'])
  })

  it('runs only the pipelines it is told to, and what they need', async () => {
    const of = parts()
    const service = serviceOf(of, ['logs/gateway'])

    await service.start()
    await service.stop(never)

    expect(of.events.filter((event) => event.startsWith('start'))).toEqual([
      'start buffer of logs/drain',
      'start filter',
      'start source',
    ])
  })

  it('stops what had started when something cannot start', async () => {
    const of = parts('source')

    await expect(serviceOf(of).start()).rejects.toThrow('source cannot start')

    expect(of.events.at(-1)).toBe('stop sink')
  })

  it('is healthy only between start and stop', async () => {
    const service = serviceOf(parts())
    const states = [service.health.status().state]

    await service.start()
    states.push(service.health.status().state)
    await service.stop(never)
    states.push(service.health.status().state)

    expect(states).toEqual(['starting', 'ok', 'stopping'])
  })
})
