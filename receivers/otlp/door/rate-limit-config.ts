import { z } from 'zod'
import { bytes, duration } from '../../../src/config/fields.ts'

const rate = z.strictObject({
  requests: z.number().positive().optional().describe('Requests a second.'),
  records: z.number().positive().optional().describe('Log records a second.'),
  bytes: bytes().optional().describe('Bytes a second, as they come over the network.'),
  burst: duration()
    .prefault('1s')
    .describe(
      'For how long a tenant that has been silent may send all at once what it may send in that time.',
    ),
})

export const rateLimits = z.strictObject({
  default: rate
    .optional()
    .describe('For tenants that are not named, each by itself, and for senders without one together.'),
  tenants: z.record(z.string(), rate).default({}).describe('For single tenants, by name.'),
  max_tenants: z
    .int()
    .min(1)
    .default(10_000)
    .describe(
      'Of how many tenants what they have sent is kept in mind; those silent for longest are forgotten.',
    ),
})

export type Rate = z.output<typeof rate>
export type RateLimitSettings = z.output<typeof rateLimits>
