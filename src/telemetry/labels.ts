export type Labels = Readonly<Record<string, string>>

/** The same for the same labels, in whatever order they come. */
export const seriesKey = (labels: Labels): string =>
  JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
