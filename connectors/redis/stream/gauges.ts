import type { ComponentMetrics } from '../../../src/telemetry/metrics.ts'
import type { Contents } from './streams.ts'

type Gauge = ReturnType<ComponentMetrics['gauge']>

/**
 * What the metrics tell of the streams of a connector, all together. All processes that share them show the same
 * figures: take one, not their sum.
 */
export class StreamGauges {
  readonly #metrics: ComponentMetrics
  readonly #streams: Gauge
  readonly #dead: Gauge
  readonly #deadElements: Gauge
  readonly #groups: readonly { records: Gauge; bytes: Gauge; elements: Gauge; inFlight: Gauge }[]
  readonly #abandoned = new Map<string, Gauge>()

  constructor(metrics: ComponentMetrics, groups: readonly string[]) {
    const gauge = (name: string, help: string, labels: Readonly<Record<string, string>>): Gauge =>
      metrics.gauge(name, help, labels, undefined, 'max')
    this.#metrics = metrics
    this.#streams = gauge('sluice_buffer_streams', 'Streams of the buffer.', {})
    this.#dead = gauge('sluice_dead_letter_records', 'Log records in the dead-letter queue.', {})
    this.#deadElements = gauge('sluice_dead_letter_elements', 'Elements in the dead-letter queue.', {})
    this.#groups = groups.map((group) => ({
      records: gauge('sluice_buffer_records', 'Log records in the buffer, in flight or not.', { group }),
      bytes: gauge('sluice_buffer_bytes', 'Bytes of the elements in the buffer.', { group }),
      elements: gauge('sluice_buffer_elements', 'Elements in the buffer, in flight or not.', { group }),
      inFlight: gauge('sluice_buffer_in_flight_elements', 'Elements that drains hold.', { group }),
    }))
  }

  /** Records and bytes of other tools' elements are not known; the elements themselves count. */
  show(streams: readonly Contents[]): void {
    const sum = (count: (contents: Contents) => number): number =>
      streams.reduce((total, contents) => total + Math.max(0, count(contents)), 0)
    this.#streams.set(streams.length)
    this.#dead.set(sum(({ deadRecords }) => deadRecords))
    this.#deadElements.set(sum(({ deadElements }) => deadElements))
    this.#groups.forEach((gauges, index) => {
      gauges.records.set(sum(({ groups }) => groups[index].records))
      gauges.bytes.set(sum(({ groups }) => groups[index].bytes))
      gauges.elements.set(sum(({ groups }) => groups[index].waiting + groups[index].inFlight))
      gauges.inFlight.set(sum(({ groups }) => groups[index].inFlight))
    })
    this.#showAbandoned(streams)
  }

  #showAbandoned(streams: readonly Contents[]): void {
    const now = new Map(streams.flatMap(({ abandoned }) => [...abandoned]))
    for (const [queue, gauge] of this.#abandoned) if (!now.has(queue)) gauge.set(0)
    for (const [queue, elements] of now) {
      let gauge = this.#abandoned.get(queue)
      if (gauge === undefined) {
        const help = 'Elements in a queue that no pipeline of the configuration reads any more.'
        const name = 'sluice_buffer_abandoned_elements'
        gauge = this.#metrics.gauge(name, help, { queue }, undefined, 'max')
        this.#abandoned.set(queue, gauge)
      }
      gauge.set(elements)
    }
  }
}
