import { z } from 'zod'
import { bytes, duration } from '../../../src/config/fields.ts'

/** What the check at the door refuses anyway. */
const MOST_RECORDS = 250_000

export const limitsConfig = z.strictObject({
  max_in_flight_bytes: bytes()
    .prefault('48MiB')
    .describe(
      'Memory for requests that are being read or are not answered yet, with the copy that a buffer makes, of both protocols together, in each process. Whoever comes then is told to try again: UNAVAILABLE or 503, with a time to wait.',
    ),
  max_compression_ratio: z
    .int()
    .min(10)
    .default(200)
    .describe('How many times its size a compressed request may become, where that is more than 4 MiB.'),
  max_connections: z
    .int()
    .min(1)
    .default(10_000)
    .describe('Connections at once, for each protocol and process. Further ones are closed as they come.'),
  min_body_rate: bytes()
    .prefault(240)
    .describe('Bytes a second at which a request has to arrive on average; 0 lets it take its time.'),
  min_body_rate_grace: duration()
    .prefault('5s')
    .describe('How long a request may take to arrive before its rate is looked at.'),
  max_records_per_request: z
    .int()
    .min(1)
    .max(MOST_RECORDS)
    .default(MOST_RECORDS)
    .describe('Requests with more records are refused for good: INVALID_ARGUMENT or 400.'),
  max_attributes: z
    .int()
    .min(1)
    .optional()
    .describe('Most attributes of a record, resource or scope. No limit unless set.'),
  max_key_length: length().describe(
    'Longest key of an attribute, at any depth, in bytes. No limit unless set.',
  ),
  max_value_length: length().describe(
    'Longest text or bytes of an attribute, at any depth, and longest severity text, event name, scope name and version. No limit unless set.',
  ),
  max_body_length: length().describe(
    'Longest body, and longest text or bytes in one that is a list or map. No limit unless set.',
  ),
  when_exceeded: z
    .enum(['truncate', 'refuse'])
    .default('truncate')
    .describe(
      'What happens where one of the last four is exceeded. "truncate": attributes are left out and added to dropped_attributes_count, texts end earlier. "refuse": the records concerned are refused in a partial success.',
    ),
})

function length() {
  return bytes()
    .refine((size) => size > 0, 'expected at least 1 byte')
    .optional()
}

export type LimitsSettings = z.output<typeof limitsConfig>
