/** What is done with a match: written over so that its kind can still be seen, or taken out. */
export type Action = 'mask' | 'remove'

/** Called with the name of a detector for every match. */
export type Count = (detector: DetectorName) => void

export const DETECTORS = ['email', 'credit_card', 'cn_mobile', 'cn_id', 'bearer_token', 'jwt'] as const
export type DetectorName = (typeof DETECTORS)[number]

/** The detectors in force and what each does. */
export type Actions = ReadonlyMap<DetectorName, Action>

/** Positions in bytes around which a finder would find something; may be too many, never too few. */
export type Found = (position: number) => void

/** Finds things of one shape. Texts are latin1, one character a byte. */
export interface Finder {
  readonly detectors: readonly DetectorName[]
  scan(bytes: Buffer, start: number, end: number, found: Found): void
  redact(text: string, actions: Actions, count: Count): string
}

export const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39
export const isLetter = (code: number): boolean => (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a
