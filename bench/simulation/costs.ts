import { parameters as p } from './parameters.ts'

/** CPU of a request and of each record in it, milliseconds. */
export interface Cost {
  readonly perRequest: number
  readonly perRecord: number
}

/** Records per request of the two measurements. */
const SMALL = 20
const LARGE = 500

/** The line through what was measured per record with small and large requests, in µs. */
function through(small: number, large: number): Cost {
  const perRequest = (small - large) / (1 / SMALL - 1 / LARGE)
  return { perRequest: perRequest / 1000, perRecord: (large - perRequest / LARGE) / 1000 }
}

/** What gateways and drains cost, as measured. */
export const costs = {
  gateway: through(p.gatewaySmall.value, p.gatewayLarge.value),
  drain: through(p.drainSmall.value, p.drainLarge.value),
}

/** CPU milliseconds per record, in requests of a size. */
export function perRecord({ perRequest, perRecord: each }: Cost, recordsPerRequest: number): number {
  return perRequest / recordsPerRequest + each
}
