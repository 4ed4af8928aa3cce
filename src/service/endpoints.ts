import type { Logger } from 'pino'
import type { Lifecycle } from '../component.ts'
import type { ServiceConfig } from '../config/config.ts'
import type { Endpoint } from '../config/fields.ts'
import type { Reading, ServiceStatus } from '../define.ts'
import { type AdminServer, serve } from '../telemetry/http.ts'
import { contextOf, type Surroundings } from './context.ts'
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
  const { address, level } = telemetry.metrics
  const metrics =
    level === 'none'
      ? []
      : [{ id: 'metrics', lifecycle: metricsEndpoint(address, metricsText, surroundings.log) }]
  return [
    ...metrics,
    ...enabledExtensions.map((id) => {
      const extension = extensions.get(id)
      if (extension === undefined) throw new Error(`"${id}" was not checked to exist`)
      const context = { ...contextOf(surroundings, 'extension', id), status, readings }
      return { id, lifecycle: extension.definition.create(extension.config, context) }
    }),
  ]
}

function metricsEndpoint(address: Endpoint, read: () => Promise<string>, log: Logger): Lifecycle {
  let server: AdminServer | undefined
  return {
    async start() {
      server = await serve(address, 'metrics', (request, response) => {
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
