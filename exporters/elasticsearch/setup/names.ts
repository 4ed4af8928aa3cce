/** A shape of documents that templates are made for. */
export type Mode = 'otel' | 'ecs'

/** What documents of these datasets and namespaces are stored in; the exporter adds the suffix of the mode. */
export function streamPatterns(
  mode: Mode,
  datasets: readonly string[],
  namespaces: readonly string[],
): readonly string[] {
  const suffix = mode === 'otel' ? '.otel' : ''
  return datasets.flatMap((dataset) => namespaces.map((namespace) => `logs-${dataset}${suffix}-${namespace}`))
}

/** A time as Elasticsearch writes it, in the largest unit that has no fraction. */
export function elasticTime(ms: number): string {
  const units = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'm'],
    [1000, 's'],
  ] as const
  const [size, unit] = units.find(([size]) => ms > 0 && ms % size === 0) ?? [1, 'ms']
  return `${ms / size}${unit}`
}

/** A size as Elasticsearch writes it; its `gb` are of 1024 each. */
export function elasticBytes(bytes: number): string {
  const units = [
    [2 ** 30, 'gb'],
    [2 ** 20, 'mb'],
    [2 ** 10, 'kb'],
  ] as const
  const [size, unit] = units.find(([size]) => bytes > 0 && bytes % size === 0) ?? [1, 'b']
  return `${bytes / size}${unit}`
}
