import { z } from 'zod'
import { bytes, duration } from '../config/fields.ts'

const Retry = z.strictObject({
  initial_interval: duration().prefault('500ms').describe('Wait before the first retry.'),
  max_interval: duration().prefault('30s').describe('The wait doubles up to this.'),
})

const Batch = z.strictObject({
  flush_timeout: duration().prefault('20ms').describe('How long a small batch waits for more.'),
  max_size: bytes().prefault('4MiB').describe('Bytes of OTLP that are gathered into one request.'),
})

const Queue = z.strictObject({
  num_consumers: z.int().min(1).max(64).default(4).describe('Requests that may be under way at once.'),
  batch: Batch.prefault({}).describe('How what the buffer holds is gathered into requests.'),
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
