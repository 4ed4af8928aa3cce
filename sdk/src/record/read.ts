import { THROWS } from './markers.ts'

/** The value of a property, or a marker where reading it throws. */
export function read(value: object, key: string): unknown {
  try {
    return (value as Record<string, unknown>)[key]
  } catch {
    return THROWS
  }
}

/** As `read`, where only a text is of use. */
export function readText(value: object, key: string): string | undefined {
  const text = read(value, key)
  return typeof text === 'string' ? text : undefined
}
