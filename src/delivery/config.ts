import { z } from 'zod'
import { advice, bytes, duration } from '../config/fields.ts'

const Retry = z.strictObject({
  enabled: z
    .literal(true, 'only true: records stay in the buffer until they are delivered or refused for good')
    .default(true)
    .describe('Known from the Collector: always true.'),
  initial_interval: duration().prefault('500ms').describe('Wait before the first retry.'),
  max_interval: duration().prefault('30s').describe('The wait doubles up to this.'),
  max_elapsed_time: duration()
    .refine((time) => time === 0, 'only 0s: retries go on until the destination takes or refuses the batch')
    .prefault('0s')
    .describe('Known from the Collector: always 0s, which is for ever.'),
})
advice.add(Retry, {
  multiplier: 'the wait always doubles: leave this out',
  randomization_factor: 'half of a wait is always left to chance: leave this out',
})

const Batch = z
  .strictObject({
    flush_timeout: duration().prefault('20ms').describe('How long a small batch waits for more.'),
    min_size: bytes()
      .optional()
      .describe('Bytes of OTLP with which a batch waits for no more. Unless set, that is max_size.'),
    max_size: bytes().prefault('2MiB').describe('Bytes of OTLP that are gathered into one request.'),
    sizer: z
      .literal('bytes', 'only "bytes": write min_size and max_size in bytes, such as 2MiB')
      .default('bytes')
      .describe('Known from the Collector: what sizes count is always bytes.'),
  })
  .refine(({ min_size = 0, max_size }) => min_size <= max_size, {
    message: 'expected no more than max_size',
    path: ['min_size'],
  })

const AdaptiveConcurrency = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe('Whether the limit follows what the destination takes; otherwise it stays at num_consumers.'),
  initial_limit: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe('The limit to begin with. It grows with every answer until the destination falls behind.'),
  increase_interval: duration()
    .refine((time) => time > 0, 'expected more than 0s')
    .prefault('1s')
    .describe(
      'From then on it grows by one after this long, and less often while the destination refuses the additional request.',
    ),
  decrease_ratio: z
    .number()
    .min(0.5)
    .lt(1)
    .default(0.9)
    .describe(
      'What is left of the limit when the destination is late or refuses some records; with half of it when it refuses all.',
    ),
  rtt_deviation_scale: z
    .number()
    .min(1)
    .default(2.5)
    .describe('The destination is late when it takes so many standard deviations longer than usual.'),
})

const elsewhere = 'the queue is the connector that the pipeline reads from, redis or disk'

const Queue = z.strictObject({
  enabled: z
    .literal(true, `only true: ${elsewhere}`)
    .default(true)
    .describe('Known from the Collector: always true.'),
  num_consumers: z
    .int()
    .min(1)
    .max(64)
    .default(4)
    .describe('Requests that may be under way at once, at most; of all pipelines together.'),
  adaptive_concurrency: AdaptiveConcurrency.prefault({}).describe(
    'How many requests are under way, up to num_consumers: docs/delivery.md.',
  ),
  batch: Batch.prefault({}).describe('How what the buffer holds is gathered into requests.'),
})
advice.add(Queue, {
  queue_size: `${elsewhere}: it has limits such as max_bytes`,
  sizer: `${elsewhere}: it counts bytes`,
  storage: `${elsewhere}: it is durable`,
  block_on_overflow: `${elsewhere}: when it is full, senders are told to come back`,
  wait_for_result: 'senders are answered when their records are in the buffer',
})

/** Settings that every exporter has, with the Collector's names: the delivery chain reads them. */
export const deliveryShape = {
  timeout: duration().prefault('30s').describe('Gives up on one attempt after this long; it is retried.'),
  retry_on_failure: Retry.prefault({}).describe(
    'Retries go on until the destination takes the batch or refuses it for good: the buffer keeps it meanwhile.',
  ),
  sending_queue: Queue.prefault({}).describe('How much is on its way at once.'),
}

export type DeliveryShape = typeof deliveryShape

const Delivery = z.object(deliveryShape)
export type DeliverySettings = z.output<typeof Delivery>
