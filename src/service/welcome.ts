import type { ServiceConfig } from '../config/config.ts'

/** What listens where, and how to send a first log: for the person who has just started Sluice by hand. */
export function welcome(config: ServiceConfig): string {
  const lines = ['', `Sluice runs ${config.file}`]
  for (const [id, { definition, config: settings }] of config.receivers) {
    if (definition.type !== 'otlp') continue
    const { protocols } = settings as {
      protocols: Record<string, { endpoint: Endpoint | Socket } | undefined>
    }
    for (const [protocol, listener] of Object.entries(protocols)) {
      if (listener === undefined) continue
      const at = 'path' in listener.endpoint ? `unix://${listener.endpoint.path}` : show(listener.endpoint)
      lines.push(`  ${id} over ${protocol.padEnd(5)} ${at}`)
    }
  }
  for (const [id, { definition, config: settings }] of config.extensions) {
    if (definition.type !== 'health_check' || !config.enabledExtensions.includes(id)) continue
    lines.push(`  health          http://${show((settings as { endpoint: Endpoint }).endpoint)}/`)
  }
  const { metrics } = config.telemetry
  if (metrics.level !== 'none') lines.push(`  metrics         http://${show(metrics.address)}/metrics`)
  for (const pipeline of config.pipelines) {
    const way = [pipeline.receivers.join(', '), ...pipeline.processors, pipeline.exporters.join(', ')]
    lines.push(`  ${pipeline.name}: ${way.join(' → ')}`)
  }
  return `${lines.join('\n')}\n${FIRST_LOG}`
}

interface Endpoint {
  readonly host: string
  readonly port: number
}

interface Socket {
  readonly path: string
}

const show = ({ host, port }: Endpoint): string => `${host === '0.0.0.0' ? 'localhost' : host}:${port}`

const FIRST_LOG = `
Send a first log:
  curl -i localhost:4318/v1/logs -H 'content-type: application/json' -d '{"resourceLogs":[{
    "resource":{"attributes":[{"key":"service.name","value":{"stringValue":"hello"}}]},
    "scopeLogs":[{"logRecords":[{"severityText":"INFO","severityNumber":9,
      "body":{"stringValue":"mail jane@example.com, card 4111 1111 1111 1111"}}]}]}]}'

`
