import { z } from 'zod'

const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/
const DURATION_PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g

const BYTES = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
}
const SIZE = /^(\d+(?:\.\d+)?) ?((?:[KMGTkmgt]i?)?[Bb])?$/

const ENDPOINT = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]*):(\d{1,5})$/

/** What to say to options that a mapping does not have, by their names, instead of calling them unknown. */
export const advice = z.registry<Readonly<Record<string, string>>>()

/** Where to listen or to connect. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** `500ms`, `5s`, `1m30s`, `2h`, `1d`, read as milliseconds. A default is written as text: `.prefault('10s')`. */
export function duration() {
  const message = 'expected a duration such as 500ms, 5s or 1m30s'
  const error = unlessMissing(message)
  return z
    .string({ error })
    .regex(DURATION, { error, abort: true })
    .transform((text, context) => {
      let total = 0
      for (const [, amount, unit] of text.matchAll(DURATION_PART)) {
        total += Number(amount) * MILLISECONDS[unit as keyof typeof MILLISECONDS]
      }
      return wholeNumber(total, message, context)
    })
}

/** `1048576`, `64KiB`, `5MB`, `1GiB`, read as bytes. A default is written as text: `.prefault('1MiB')`. */
export function bytes() {
  const message = 'expected a size such as 1048576, 64KiB or 5MB'
  const error = unlessMissing(message)
  return z
    .union([z.int().nonnegative({ error }), z.string().regex(SIZE, { error })], { error })
    .transform((size, context) => {
      const [, amount, unit = 'B'] = SIZE.exec(String(size)) ?? []
      return wholeNumber(Number(amount) * BYTES[unit.toLowerCase() as keyof typeof BYTES], message, context)
    })
}

/** A password, token or key: `print-config` shows `****` instead. */
export function secret() {
  return z.string().meta({ secret: true })
}

/** `host:port`, `[::1]:port`, or `:port` for all IPv4 addresses of the machine. */
export function endpoint() {
  const error = unlessMissing('expected host:port such as 0.0.0.0:4317')
  return z
    .string({ error })
    .regex(ENDPOINT, { error, abort: true })
    .transform((text, context): Endpoint => {
      const [, host, digits] = ENDPOINT.exec(text) ?? []
      const port = Number(digits)
      if (port > 65_535) {
        context.issues.push({ code: 'custom', message: 'expected a port up to 65535', input: text })
      }
      return { host: host.replace(/^\[|\]$/g, '') || '0.0.0.0', port }
    })
}

/** Leaves the words for a missing value to the caller of the schema. */
function unlessMissing(message: string) {
  return (issue: { readonly input?: unknown }): string | undefined =>
    issue.input === undefined ? undefined : message
}

function wholeNumber(value: number, message: string, context: z.core.ParsePayload): number {
  const rounded = Math.round(value)
  if (!Number.isSafeInteger(rounded)) context.issues.push({ code: 'custom', message, input: value })
  return rounded
}
