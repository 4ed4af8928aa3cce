/** From so many deliveries without success on an element may be what ends the drain: it is handed out alone. */
export const SUSPECT_DELIVERIES = 2

/** Why an element went to the dead letters that was handed out so often. */
export const poisonReason = (deliveries: number): string =>
  `it was handed out ${deliveries} times and never settled: delivering it fails in an unknown way, or ends the drain`
