/** Log records, and the bytes they were encoded in. */
export interface Amount {
  records: number
  bytes: number
}

/** Amounts by OTel severity number, 0 (unspecified) to 24. */
export type Tally = ReadonlyMap<number, Readonly<Amount>>

/** Adds to one severity. */
export function add(tally: Map<number, Amount>, severity: number, records: number, bytes: number): void {
  const amount = tally.get(severity)
  if (amount === undefined) tally.set(severity, { records, bytes })
  else {
    amount.records += records
    amount.bytes += bytes
  }
}

export function recordsOf(tally: Tally): number {
  let sum = 0
  for (const { records } of tally.values()) sum += records
  return sum
}
