import type { SdkSettings } from './sdk-client.ts'

/**
 * The defaults of the OpenTelemetry SDKs' batch processor (OTEL_BLRP_*) and of the retries of the JavaScript exporter over
 * HTTP, but for one: it throws a batch away after ten seconds, and this goes on until the queue overflows.
 */
export const sdkDefaults: SdkSettings = {
  maxQueueSize: 2048,
  maxExportBatchSize: 512,
  scheduledDelay: 1000,
  timeout: 10_000,
  retry: { initial: 1000, max: 5000, factor: 1.5, jitter: 0.2 },
  retryBudget: Number.POSITIVE_INFINITY,
}

/** How long the JavaScript exporter itself tries. */
export const STOCK_RETRY_BUDGET = 10_000
