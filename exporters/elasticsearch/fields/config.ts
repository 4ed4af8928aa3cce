import { z } from 'zod'

/** Elasticsearch's limit is 1000 unless told otherwise, and objects count too. */
const DEFAULT_LIMIT = 800

export const fieldWatchConfig = z
  .strictObject({
    limit: z
      .int()
      .min(10)
      .max(100_000)
      .default(DEFAULT_LIMIT)
      .describe('Different fields of a data stream beyond which it is said which attribute they come from.'),
    action: z
      .enum(['warn', 'flatten'])
      .default('warn')
      .describe(
        '"flatten" moves the attributes below that name into one field until the process ends: attributes_overflow in mode otel, labels_overflow in ecs, which the template must map as flattened.',
      ),
    flatten: z
      .array(
        z
          .string()
          .regex(
            /^[^.*]+(?:\.[^.*]+)*\.\*$/,
            'expected a name and a star, such as user.*: what is below it moves',
          ),
      )
      .default([])
      .describe('Attributes that move whatever their number: "user.*". Names are those in documents.'),
  })
  .prefault({})
  .describe('Watches for attributes whose names are made of data: docs/elasticsearch.md.')

export type FieldWatchConfig = z.output<typeof fieldWatchConfig>
