import type { DetectorName } from '../../options/settings.ts'

/**
 * Runs of digits that could be a card, a mobile number or an identity number: 11 to 19 digits, or in the groups
 * they are written in. Not within a word, nor the decimals of a fraction. Every repeat is bounded, so matching is linear.
 */
const NUMBER =
  /(?<![A-Za-z0-9]|[0-9]\.)(?:\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{4,5}|\d{3}([ -])\d{4}\3\d{4}|\d{17}[Xx]|\d{11,19})(?![A-Za-z0-9])/g

/** A text that is shorter has none. */
export const SHORTEST_NUMBER = 11

/** The check digit of ISO/IEC 7812-1, for a text of digits. */
function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let i = digits.length - 1, double = false; i >= 0; i--, double = !double) {
    const digit = digits.charCodeAt(i) - 0x30
    sum += double ? (digit > 4 ? digit * 2 - 9 : digit * 2) : digit
  }
  return sum % 10 === 0
}

/** Weights and check characters of GB 11643-1999. */
const ID_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
const ID_CHECKS = '10X98765432'

/** Whether 18 characters are a resident identity number: region, date of birth and check character hold. */
function isResidentId(number: string): boolean {
  const year = Number(number.slice(6, 10))
  const month = Number(number.slice(10, 12))
  const day = Number(number.slice(12, 14))
  if (year < 1800 || year > 2099 || month < 1 || month > 12) return false
  if (day < 1 || day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return false
  let sum = 0
  for (let i = 0; i < ID_WEIGHTS.length; i++) sum += ID_WEIGHTS[i] * (number.charCodeAt(i) - 0x30)
  return ID_CHECKS[sum % 11] === number[17].toUpperCase()
}

/** First digits of the card schemes: 2221–2720 and 51–55 Mastercard, 3 Amex, JCB, Diners, 4 Visa, 6 UnionPay, Discover, Maestro. */
const ISSUER = /^(?:2[2-7]|[3-6])/
const CARD = /^\d{13,19}$/
const MOBILE = /^(?:86)?1[3-9]\d{9}$/

function kindOf(digits: string): DetectorName | undefined {
  if (MOBILE.test(digits)) return 'cn_mobile'
  if (digits.length === 18 && isResidentId(digits)) return 'cn_id'
  return CARD.test(digits) && ISSUER.test(digits) && passesLuhn(digits) ? 'credit_card' : undefined
}

function mask(kind: DetectorName, digits: string): string {
  if (kind === 'credit_card') return '*'.repeat(digits.length - 4) + digits.slice(-4)
  return kind === 'cn_mobile' ? '[CN_MOBILE]' : '[CN_ID]'
}

/** Payment cards, Chinese mobile numbers and Chinese resident identity numbers, those of them that are chosen. */
export function maskNumbers(text: string, chosen: ReadonlySet<DetectorName>): string {
  if (text.length < SHORTEST_NUMBER) return text
  return text.replace(NUMBER, (match) => {
    const digits = match.replace(/[ -]/g, '')
    const kind = kindOf(digits)
    return kind !== undefined && chosen.has(kind) ? mask(kind, digits) : match
  })
}
