import { numberOfLevel } from '../shared/severities.ts'

const INFO = 9

/** Levels of winston by name; the lowest number is the most severe. */
export type WinstonLevels = Readonly<Record<string, number>>

/**
 * The OTel severity number of a level: that of the libraries which have it, else of the next less severe level of the
 * logger that they have, else of the next more severe one.
 */
export function severityOfWinston(name: string, levels: WinstonLevels | undefined): number {
  const known = numberOfLevel(name)
  if (known !== undefined) return known
  const own = levels?.[name]
  if (levels === undefined || own === undefined) return INFO
  const neighbours = Object.entries(levels)
    .map(([other, rank]) => ({ distance: rank - own, severity: numberOfLevel(other) }))
    .filter(({ severity }) => severity !== undefined)
    .sort((a, b) => Math.abs(a.distance) - Math.abs(b.distance))
  const next = neighbours.find(({ distance }) => distance > 0) ?? neighbours[0]
  return next?.severity ?? INFO
}
