import type { Lifecycle } from '../component.ts'
import type { ServiceConfig } from '../config/config.ts'
import type { Reading, ServiceStatus } from '../define.ts'
import { type AdminServer, serve } from '../telemetry/http.ts'
import { contextOf, known, type Surroundings } from './context.ts'
import type { Part } from './parts.ts'

export interface Told {
  readonly status: () => ServiceStatus
  /** All metrics, in the text format of Prometheus. */
  readonly metricsText: () => Promise<string>
  /** What the metrics tell of the work, as plain values. */
  readonly readings: () => Promise<readonly Reading[]>
}

const TEXT_FORMAT = 'text/plain; version=0.0.4; charset=utf-8'

/** What operators reach beside the pipelines, in starting order: the metrics endpoint and the extensions. */
export function endpoints(
  { enabledExtensions, extensions, telemetry }: ServiceConfig,
  surroundings: Surroundings,
  { status, metricsText, readings }: Told,
): Part[] {
  const { level } = telemetry.metrics
  const metrics =
    level === 'none'
      ? []
      : [{ id: 'metrics', lifecycle: metricsEndpoint(telemetry.metrics, metricsText, surroundings) }]
  return [
    ...metrics,
    ...enabledExtensions.flatMap((id) => {
      const { definition, config } = known(extensions, id)
      if (definition.isAuthenticator) return []
      const context = { ...contextOf(surroundings, 'extension', id), status, readings }
      return [{ id, lifecycle: definition.create(config, context) }]
    }),
  ]
}

function metricsEndpoint(
  { address, ...access }: ServiceConfig['telemetry']['metrics'],
  read: () => Promise<string>,
  surroundings: Surroundings,
): Lifecycle {
  const { log } = surroundings
  const context = { ...contextOf(surroundings, 'extension', 'metrics'), log }
  let server: AdminServer | undefined
  return {
    async start() {
      server = await serve({ endpoint: address, ...access }, 'metrics', context, (request, response) => {
        if ((request.url ?? '').split('?')[0] !== '/metrics') {
          response.writeHead(404, { 'content-type': 'text/plain' }).end('metrics are at /metrics\n')
          return
        }
        read().then(
          (text) => response.writeHead(200, { 'content-type': TEXT_FORMAT }).end(text),
          (error: unknown) => {
            log.error({ err: error }, 'metrics could not be read')
            response.writeHead(500).end()
          },
        )
      })
      log.info({ address: `${address.host}:${server.port}` }, 'metrics are served')
    },
    stop: async () => server?.close(),
  }
}
