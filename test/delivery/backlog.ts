import { join } from 'node:path'
import { inParallel, postUntilAccepted } from '../e2e/client.ts'
import { type Sluice, startSluice } from '../e2e/sluice.ts'
import { freePort } from '../servers/ports.ts'

/** Where a backlog goes. */
export interface Destination {
  readonly url: string
  /** Index or data stream. */
  readonly index: string
  /** `sending_queue` of the exporter, as YAML. */
  readonly sendingQueue: string
}

const SENDERS = 4

/** Puts requests into a buffer on disk by a gateway that ends when it has them all. */
export async function fillBacklog(folder: string, requests: readonly (() => Buffer)[]): Promise<void> {
  const http = await freePort()
  const nowhere = { url: 'http://127.0.0.1:1', index: 'none', sendingQueue: '{}' }
  await using _gateway = await startSluice({
    config: configOf(folder, http, nowhere),
    pipelines: 'logs/gateway',
  })
  await inParallel(requests, SENDERS, (request) => postUntilAccepted(http, request()))
}

/** Starts a drain that delivers what the buffer in this folder holds. */
export async function startDrain(folder: string, destination: Destination): Promise<Sluice> {
  return startSluice({ config: configOf(folder, await freePort(), destination), pipelines: 'logs/drain' })
}

function configOf(folder: string, http: number, { url, index, sendingQueue }: Destination): string {
  return `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${http}" } } }
connectors:
  disk: { directory: ${JSON.stringify(join(folder, 'buffer'))}, compression: zstd, element_size: 64KiB, prefetch: 256 }
exporters:
  elasticsearch: { endpoint: "${url}", logs_index: ${index}, sending_queue: ${sendingQueue} }
service:
  pipelines:
    logs/gateway: { receivers: [otlp], exporters: [disk] }
    logs/drain: { receivers: [disk], exporters: [elasticsearch] }
`
}
