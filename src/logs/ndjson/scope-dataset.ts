/** Scopes that collectors write about themselves in. */
const SELF_TELEMETRY: ReadonlySet<string> = new Set([
  'go.opentelemetry.io/collector/receiver/receiverhelper',
  'go.opentelemetry.io/collector/scraper/scraperhelper',
  'go.opentelemetry.io/collector/processor/processorhelper',
  'go.opentelemetry.io/collector/exporter/exporterhelper',
  'go.opentelemetry.io/collector/service',
])
const SELF_TELEMETRY_DATASET = 'collectortelemetry'
const COMPONENTS = [/\/receiver\/(\w+receiver)/, /\/connector\/(\w+connector)/]

/**
 * The dataset that a scope stands for, as in the Collector's exporter: its own telemetry, the format that an encoding
 * extension notes (`encoding.format`), or the receiver or connector that its name holds.
 */
export function scopeDataset(name: string, format: string): string | undefined {
  if (SELF_TELEMETRY.has(name)) return SELF_TELEMETRY_DATASET
  if (format !== '') return format
  for (const component of COMPONENTS) {
    const found = component.exec(name)?.[1]
    if (found !== undefined) return found
  }
  return undefined
}
