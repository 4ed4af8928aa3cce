import { describe, expect, it } from 'vitest'
import { components } from '../../src/components.ts'
import { loadConfig } from '../../src/config/config.ts'
import { ConfigError } from '../../src/config/errors.ts'
import type { DeliverySettings } from '../../src/delivery/config.ts'

/** The delivery settings of an exporter that is written so. */
function load(settings: string): DeliverySettings {
  const yaml = `
receivers: { otlp: { protocols: { grpc: } } }
exporters: { debug: ${settings} }
service: { pipelines: { logs: { receivers: [otlp], exporters: [debug] } } }
`
  const config = loadConfig('config.yaml', yaml, components, {})
  return config.exporters.get('debug')?.config as DeliverySettings
}

/** What the user is told of it. */
function problem(settings: string): string {
  try {
    load(settings)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  return ''
}

describe('the delivery settings of an exporter', () => {
  it('take the batch of a Collector as it is', () => {
    const { sending_queue } = load(
      '{ sending_queue: { enabled: true, num_consumers: 10, batch: { flush_timeout: 10s, min_size: 1000000, max_size: 5e6, sizer: bytes } } }',
    )

    expect(sending_queue).toMatchObject({
      num_consumers: 10,
      batch: { flush_timeout: 10_000, min_size: 1_000_000, max_size: 5_000_000 },
    })
  })

  it('take the retries of a Collector that never gives up', () => {
    const { retry_on_failure } = load(
      '{ retry_on_failure: { enabled: true, initial_interval: 5s, max_interval: 30s, max_elapsed_time: 0s } }',
    )

    expect(retry_on_failure).toMatchObject({ initial_interval: 5000, max_interval: 30_000 })
  })

  it.each([
    ['{ sending_queue: { batch: { sizer: items } } }', 'only "bytes"'],
    ['{ sending_queue: { batch: { min_size: 2MiB, max_size: 1MiB } } }', 'no more than max_size'],
    ['{ sending_queue: { enabled: false } }', 'the queue is the connector'],
    ['{ sending_queue: { queue_size: 1000 } }', 'limits such as max_bytes'],
    ['{ sending_queue: { storage: file_storage } }', 'it is durable'],
    ['{ sending_queue: { sizer: bytes } }', 'it counts bytes'],
    ['{ sending_queue: { block_on_overflow: true } }', 'told to come back'],
    ['{ sending_queue: { wait_for_result: true } }', 'in the buffer'],
    ['{ retry_on_failure: { enabled: false } }', 'stay in the buffer'],
    ['{ retry_on_failure: { max_elapsed_time: 300s } }', 'retries go on'],
    ['{ retry_on_failure: { multiplier: 1.5 } }', 'always doubles'],
    ['{ retry_on_failure: { randomization_factor: 0.5 } }', 'left to chance'],
    ['{ sending_queue: { adaptive_concurrency: { decrease_ratio: 1 } } }', 'decrease_ratio'],
    ['{ sending_queue: { adaptive_concurrency: { increase_interval: 0s } } }', 'more than 0s'],
    ['{ sending_queue: { num_consumer: 3 } }', 'did you mean "num_consumers"'],
  ])('answer %s with what to do', (settings, answer) => {
    expect(problem(settings)).toContain(answer)
  })
})
