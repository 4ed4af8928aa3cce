import type { DetectorName } from '../../options/settings.ts'
import { maskEmails } from './email.ts'
import { maskNumbers, SHORTEST_NUMBER } from './numbers.ts'
import { maskBearerTokens, maskJwts } from './tokens.ts'

export const DETECTORS: readonly DetectorName[] = [
  'email',
  'credit_card',
  'cn_mobile',
  'cn_id',
  'bearer_token',
  'jwt',
]

/** Masks what some detectors find. */
export interface Masks {
  text(value: string): string
  /** The masked digits of a whole number, or undefined where it may stay. */
  integer(value: number | bigint): string | undefined
}

/** What the detectors find is written over so that its kind can still be seen; undefined without any. */
export function masksOf(names: readonly DetectorName[]): Masks | undefined {
  if (names.length === 0) return undefined
  const chosen = new Set(names)
  // In this order: a later one sees what an earlier one left.
  const masks: ((text: string) => string)[] = []
  if (chosen.has('bearer_token')) masks.push(maskBearerTokens)
  if (chosen.has('jwt')) masks.push(maskJwts)
  if (chosen.has('email')) masks.push(maskEmails)
  const hasNumbers = chosen.has('credit_card') || chosen.has('cn_mobile') || chosen.has('cn_id')
  if (hasNumbers) masks.push((text) => maskNumbers(text, chosen))
  return {
    text: (value) => masks.reduce((text, mask) => mask(text), value),
    integer(value) {
      if (!hasNumbers || (value < 1e10 && value > -1e10)) return undefined
      const digits = String(value)
      if (digits.length < SHORTEST_NUMBER) return undefined
      const masked = maskNumbers(digits, chosen)
      return masked === digits ? undefined : masked
    },
  }
}
