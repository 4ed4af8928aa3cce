import type { ServiceConfig } from '../config/config.ts'

/** What listens where, and how to send a first log: for the person who has just started Sluice by hand. */
export function welcome(config: ServiceConfig): string {
  const lines = ['', `Sluice runs ${config.file}`]
  for (const [id, { definition, config: settings }] of config.receivers) {
    if (definition.type !== 'otlp') continue
    const { protocols } = settings as OtlpSettings
    for (const [protocol, listener] of Object.entries(protocols)) {
      if (listener === undefined) continue
      const at = 'path' in listener.endpoint ? `unix://${listener.endpoint.path}` : show(listener.endpoint)
      lines.push(`  ${id} over ${protocol.padEnd(5)} ${at}${listener.tls ? ', TLS' : ''}`)
    }
  }
  for (const [id, { definition, config: settings }] of config.extensions) {
    if (definition.type !== 'health_check' || !config.enabledExtensions.includes(id)) continue
    const { endpoint, tls } = settings as { endpoint: Endpoint; tls?: object }
    lines.push(`  health          ${url(endpoint, tls)}/`)
  }
  const { metrics } = config.telemetry
  if (metrics.level !== 'none') lines.push(`  metrics         ${url(metrics.address, metrics.tls)}/metrics`)
  for (const pipeline of config.pipelines) {
    const way = [pipeline.receivers.join(', '), ...pipeline.processors, pipeline.exporters.join(', ')]
    lines.push(`  ${pipeline.name}: ${way.join(' → ')}`)
  }
  return `${lines.join('\n')}\n${firstLog(config)}\n`
}

interface OtlpSettings {
  readonly protocols: Readonly<Record<string, Listener | undefined>>
}

interface Listener {
  readonly endpoint: Endpoint | Socket
  readonly tls?: object
  readonly auth?: object
}

interface Endpoint {
  readonly host: string
  readonly port: number
}

interface Socket {
  readonly path: string
}

const show = ({ host, port }: Endpoint): string => `${host === '0.0.0.0' ? 'localhost' : host}:${port}`

const url = (endpoint: Endpoint, tls: object | undefined): string =>
  `${tls ? 'https' : 'http'}://${show(endpoint)}`

/** A command for whoever can use it as it is: the first receiver that takes JSON from everybody, in the clear. */
function firstLog({ receivers }: ServiceConfig): string {
  for (const { definition, config } of receivers.values()) {
    if (definition.type !== 'otlp') continue
    const { http } = (config as OtlpSettings).protocols
    if (!http || http.tls || http.auth || 'path' in http.endpoint) continue
    return `
Send a first log:
  curl -i ${show(http.endpoint).replace(/^127\.0\.0\.1/, 'localhost')}/v1/logs -H 'content-type: application/json' -d '{"resourceLogs":[{
    "resource":{"attributes":[{"key":"service.name","value":{"stringValue":"hello"}}]},
    "scopeLogs":[{"logRecords":[{"severityText":"INFO","severityNumber":9,
      "body":{"stringValue":"mail jane@example.com, card 4111 1111 1111 1111"}}]}]}]}'
`
  }
  return ''
}
