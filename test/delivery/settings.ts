import { z } from 'zod'
import { type DeliverySettings, deliveryShape } from '../../src/delivery/config.ts'

const schema = z.object(deliveryShape)

/** Settings as a user writes them, with retries and batches quick enough for a test. */
export function deliverySettings(written: z.input<typeof schema> = {}): DeliverySettings {
  return schema.parse({
    timeout: '1s',
    retry_on_failure: { initial_interval: '100ms', max_interval: '1s' },
    ...written,
  })
}
