/** https://opentelemetry.io/docs/specs/otel/protocol/exporter/#user-agent */
export const USER_AGENT = 'Sluice-Logs-JavaScript/0.1.0'
