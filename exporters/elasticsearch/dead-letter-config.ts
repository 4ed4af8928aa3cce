import { z } from 'zod'
import { isIndexText } from './names.ts'

/**
 * A data stream of logs like any other, so that what reads and ages those finds this one too: its dataset is
 * `sluice.dlq`. A name of two parts, `logs-dlq`, is matched by no `logs-*-*`, and one that ends with `.otel` would get
 * the template of documents that it does not hold.
 */
export const DEAD_LETTER_STREAM = 'logs-sluice.dlq-default'

const MAX_BYTES = 200
const DATA_STREAM = /^logs-(?<dataset>[^-]+)-(?<namespace>.+)$/

export const deadLetterConfig = z.strictObject({
  data_stream: z
    .string()
    .refine(
      (name) => DATA_STREAM.test(name) && isIndexText(name) && Buffer.byteLength(name) <= MAX_BYTES,
      `expected a data stream logs-<dataset>-<namespace> in lower case, such as ${DEAD_LETTER_STREAM}`,
    )
    .default(DEAD_LETTER_STREAM)
    .describe('Where they go; docs/dead-letters.md has the index template.'),
})

/** The parts of a data stream's name that `deadLetterConfig` has let through. */
export function dataStreamParts(name: string): { readonly dataset: string; readonly namespace: string } {
  const { dataset = '', namespace = '' } = DATA_STREAM.exec(name)?.groups ?? {}
  return { dataset, namespace }
}
