import { cp } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Destination, startDrain } from '../../test/delivery/backlog.ts'
import { DataStream } from '../../test/e2e/search.ts'
import type { MetricsSnapshot } from '../../test/e2e/sluice.ts'
import { temporaryFolder } from '../../test/servers/at-exit.ts'

/** What one second of a drain brought. */
export interface Second {
  /** Records delivered. */
  readonly delivered: number
  /** Requests of which something was refused with 429. */
  readonly refused: number
  readonly requests: number
  /** Milliseconds of a bulk request on average. */
  readonly latency: number
  readonly limit: number
}

/** A backlog that was worked off. */
export interface Overload {
  readonly seconds: readonly Second[]
  /** Documents in the index. */
  readonly indexed: number
  /** CPU seconds of the drain. */
  readonly cpuSeconds: number
}

const SAMPLE_MS = 1000
const PATIENCE_SECONDS = 240

/** Delivers a copy of a backlog of so many records to a data stream of its own, and looks on. */
export async function workOff(
  backlog: { readonly folder: string; readonly records: number },
  { url, sendingQueue }: Pick<Destination, 'url' | 'sendingQueue'>,
): Promise<Overload> {
  const folder = await temporaryFolder('overload')
  await cp(backlog.folder, folder.path, { recursive: true })
  const stream = await DataStream.create(url)
  const drain = await startDrain(folder.path, { url, index: stream.name, sendingQueue })
  try {
    const seconds: Second[] = []
    let [before, at] = [await drain.metrics(), performance.now()]
    while (delivered(before) < backlog.records) {
      if (seconds.length > PATIENCE_SECONDS) throw new Error(`no end after ${PATIENCE_SECONDS} s`)
      await sleep(SAMPLE_MS - ((performance.now() - at) % SAMPLE_MS))
      const [now, nowAt] = [await drain.metrics(), performance.now()]
      seconds.push(secondOf(before, now, (nowAt - at) / 1000))
      ;[before, at] = [now, nowAt]
    }
    return {
      seconds,
      indexed: await stream.count(),
      cpuSeconds: before.sum('otelcol_process_cpu_seconds'),
    }
  } finally {
    await drain.stop()
    await folder.remove()
  }
}

const delivered = (metrics: MetricsSnapshot): number => metrics.sum('otelcol_exporter_sent_log_records')

function secondOf(before: MetricsSnapshot, now: MetricsSnapshot, seconds: number): Second {
  const grown = (name: string, labels = {}): number => now.sum(name, labels) - before.sum(name, labels)
  const requests = grown('otelcol_elasticsearch_bulk_requests_latency_count')
  return {
    delivered: (delivered(now) - delivered(before)) / seconds,
    refused: grown('sluice_exporter_failed_attempts_total', { reason: 'too_many' }) / seconds,
    requests: requests / seconds,
    latency:
      requests === 0 ? 0 : (grown('otelcol_elasticsearch_bulk_requests_latency_sum') / requests) * 1000,
    limit: now.sum('sluice_exporter_concurrency_limit'),
  }
}
