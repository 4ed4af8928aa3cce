/** A message with its placeholders filled in. */
export interface Formatted {
  readonly text: string
  /** How many of the arguments the placeholders took. */
  readonly used: number
}

/** `%s` text, `%d` and `%f` number, `%i` whole number, `%j`, `%o` and `%O` JSON, `%%` a percent sign. */
const PLACEHOLDER = /%([sdfijoO%])/g

/**
 * Fills in the placeholders of a message as pino does: what has no argument stays as it is.
 *
 * @param json Writes an object; must not throw.
 */
export function format(
  message: string,
  args: readonly unknown[],
  json: (value: unknown) => string,
): Formatted {
  if (!message.includes('%')) return { text: message, used: 0 }
  let used = 0
  const text = message.replace(PLACEHOLDER, (placeholder, kind: string) => {
    if (kind === '%') return '%'
    if (used === args.length) return placeholder
    return replacement(kind, args[used++], json)
  })
  return { text, used }
}

function replacement(kind: string, value: unknown, json: (value: unknown) => string): string {
  if (kind === 'i') return String(Math.floor(numberOf(value)))
  if (kind === 'd' || kind === 'f') return typeof value === 'bigint' ? String(value) : String(numberOf(value))
  if (kind === 's') return textOf(value, json)
  return typeof value === 'string' ? `'${value}'` : json(value)
}

/** `Number` throws for symbols and where `valueOf` does. */
function numberOf(value: unknown): number {
  try {
    return Number(value)
  } catch {
    return Number.NaN
  }
}

/** An object is written as JSON: as a text it would be `[object Object]`. */
export function textOf(value: unknown, json: (value: unknown) => string): string {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
    ? json(value)
    : String(value)
}
