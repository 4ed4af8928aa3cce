import type { Attributes, MeterProvider, ObservableCallback } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { startHttpCollector } from './kit/collector.ts'
import { destination, startPipe } from './kit/options.ts'
import { log } from './kit/records.ts'

interface Observation {
  readonly value: number
  readonly attributes: Attributes
}

/** Looks at observable instruments when it is asked, as a reader does. */
class Meters {
  readonly #callbacks = new Map<string, Set<ObservableCallback>>()

  readonly provider = { getMeter: () => this.#meter } as unknown as MeterProvider

  readonly #meter = {
    createObservableCounter: (name: string) => this.#instrument(name),
    createObservableUpDownCounter: (name: string) => this.#instrument(name),
  }

  #instrument(name: string) {
    const callbacks = new Set<ObservableCallback>()
    this.#callbacks.set(name, callbacks)
    return {
      addCallback: (callback: ObservableCallback) => callbacks.add(callback),
      removeCallback: (callback: ObservableCallback) => callbacks.delete(callback),
    }
  }

  observe(name: string): Observation[] {
    const observations: Observation[] = []
    const observe = (value: number, attributes: Attributes = {}) => observations.push({ value, attributes })
    for (const callback of this.#callbacks.get(name) ?? []) void callback({ observe } as never)
    return observations
  }

  /** Values by `error.type`, or by nothing. */
  values(name: string): Record<string, number> {
    return Object.fromEntries(
      this.observe(name).map(({ value, attributes }) => [attributes['error.type'] ?? 'ok', value]),
    )
  }
}

describe('the metrics of a pipe', () => {
  it('have the names that OpenTelemetry has for SDKs, and tell what became of records', async () => {
    await using collector = await startHttpCollector()
    const meters = new Meters()
    await using pipe = startPipe({
      destination: destination(collector.url),
      queue: { maxRecords: 20 },
      batch: { maxRecords: 10 },
      meterProvider: meters.provider,
    })
    collector.answer({ http: 400 }, { rejected: 2 }, {})

    log(pipe, 0, 10)
    await pipe.flush()
    log(pipe, 10, 10)
    await pipe.flush()
    log(pipe, 20, 25)

    expect(meters.values('otel.sdk.processor.log.queue.size')).toEqual({ ok: 20 })
    expect(meters.values('otel.sdk.processor.log.queue.capacity')).toEqual({ ok: 20 })
    expect(meters.values('otel.sdk.processor.log.processed')).toEqual({ ok: 20, queue_full: 5 })
    expect(meters.values('otel.sdk.exporter.log.exported')).toEqual({
      ok: 8,
      refused: 10,
      partial_success_rejected: 2,
    })
    const flushed = pipe.flush()
    expect(meters.values('otel.sdk.exporter.log.inflight')).toEqual({ ok: 20 })
    await flushed
    expect(meters.values('otel.sdk.exporter.log.inflight')).toEqual({ ok: 0 })
    expect(meters.values('otel.sdk.exporter.log.exported')).toMatchObject({ ok: 28 })
  })

  it('say whose they are, and end with the pipe', async () => {
    await using collector = await startHttpCollector()
    const meters = new Meters()
    const pipe = startPipe({ destination: destination(collector.url), meterProvider: meters.provider })

    const [processed] = meters.observe('otel.sdk.processor.log.processed')
    const [exported] = meters.observe('otel.sdk.exporter.log.exported')
    expect(processed.attributes).toEqual({
      'otel.component.type': 'batching_log_processor',
      'otel.component.name': expect.stringMatching(/^batching_log_processor\/\d+$/),
    })
    expect(exported.attributes).toEqual({
      'otel.component.type': 'otlp_http_log_exporter',
      'otel.component.name': expect.stringMatching(/^otlp_http_log_exporter\/\d+$/),
      'server.address': '127.0.0.1',
      'server.port': collector.port,
    })
    // Where only bytes count there is no capacity in records.
    expect(meters.observe('otel.sdk.processor.log.queue.capacity')).toEqual([])
    await pipe.shutdown()
    expect(meters.observe('otel.sdk.processor.log.processed')).toEqual([])
  })
})
