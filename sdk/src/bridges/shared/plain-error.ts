/** Causes within causes; more would not be shown. */
const MAX_DEPTH = 16

/**
 * The error that a serializer of pino or bunyan has made plain: `type` or `name`, `message`, `stack`, `cause`,
 * `aggregateErrors` and its own properties. Undefined for what is no such object.
 */
export function errorOfPlain(value: unknown): Error | undefined {
  return looksLikeError(value) ? revive(value, 0) : undefined
}

function revive(plain: Readonly<Record<string, unknown>>, depth: number): Error {
  const { type, name, message, stack, cause, aggregateErrors, errors, ...properties } = plain
  const related = (value: unknown): unknown =>
    looksLikeError(value) && depth < MAX_DEPTH ? revive(value, depth + 1) : value
  const parts = aggregateErrors ?? errors
  // Not constructed: that would take a stack, of here.
  return Object.assign(Object.create(Error.prototype) as Error, properties, {
    name: [type, name].find((kind) => typeof kind === 'string') ?? 'Error',
    message,
    stack,
    cause: related(cause),
    errors: Array.isArray(parts) ? parts.map(related) : parts,
  })
}

function looksLikeError(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const { message, stack } = value as { message?: unknown; stack?: unknown }
  return typeof message === 'string' || typeof stack === 'string'
}
