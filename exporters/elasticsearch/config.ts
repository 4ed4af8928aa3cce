import { z } from 'zod'
import { MAPPING_MODES, type MappingMode } from '../../src/logs/ndjson/mapping.ts'
import { checkConnection, connectionShape } from './client/settings.ts'
import { DIRECTIVES, isDateFormat } from './date-format.ts'
import { deadLetterConfig } from './dead-letter-config.ts'
import { fieldWatchConfig } from './fields/config.ts'
import { LEVELS } from './level-namespaces.ts'
import { isIndexText } from './names.ts'
import { setupConfig } from './setup/config.ts'
import type { TargetOptions } from './target.ts'

export const config = z
  .strictObject({
    ...connectionShape,
    logs_index: z
      .string()
      .min(1)
      .optional()
      .describe('A fixed index or data stream for everything; without it attributes decide.'),
    logs_dynamic_index: z
      .strictObject({
        enabled: z
          .boolean()
          .default(false)
          .describe('Changes nothing: attributes decide wherever logs_index is not set.'),
      })
      .prefault({})
      .describe('Known from the Collector.'),
    level_namespaces: z
      .partialRecord(
        z.enum(LEVELS),
        z
          .string()
          .min(1)
          .refine(isIndexText, 'expected lower case, without what names of indices may not hold'),
      )
      .optional()
      .describe(
        'The namespace of records of a level and of those above it, { error: error }, where no attribute names one: so that a lifecycle policy keeps them longer.',
      ),
    logstash_format: z
      .strictObject({
        enabled: z.boolean().default(false).describe('Adds a date to the name of every index.'),
        prefix_separator: z
          .string()
          .refine(isIndexText, 'expected lower case, without what names of indices may not hold')
          .default('-')
          .describe('Stands before the date.'),
        date_format: z
          .string()
          .refine(isDateFormat, `expected a date such as %Y.%m.%d; known are ${DIRECTIVES}`)
          .refine(
            (format) => isIndexText(format.replaceAll(/%./g, '')),
            'expected lower case, without what names of indices may not hold',
          )
          .default('%Y.%m.%d')
          .describe('The day of receipt in UTC, which stays the same when a record is sent again.'),
      })
      .prefault({})
      .describe('Indices by date instead of data streams.'),
    document_id: z
      .enum(['batch', 'attribute', 'none'])
      .default('batch')
      .describe(
        '"batch" makes ids that stay the same when records are sent again; "attribute" prefers the record\'s elasticsearch.document_id; with "none" Elasticsearch makes them, and what is sent again is there twice.',
      ),
    logs_dynamic_id: z
      .strictObject({
        enabled: z
          .boolean()
          .default(false)
          .describe("The record's elasticsearch.document_id is its id; document_id makes the others."),
      })
      .prefault({})
      .describe('Ids out of attributes.'),
    pipeline: z.string().optional().describe('Ingest pipeline for every document.'),
    logs_dynamic_pipeline: z
      .strictObject({
        enabled: z
          .boolean()
          .default(false)
          .describe("The record's elasticsearch.ingest_pipeline names its pipeline."),
      })
      .prefault({})
      .describe('Ingest pipelines out of attributes.'),
    dead_letters: deadLetterConfig
      .optional()
      .describe('Keeps what is refused for good in a data stream, and not in the buffer.'),
    mapping: z
      .strictObject({
        mode: z
          .enum(MAPPING_MODES)
          .optional()
          .describe(
            'Shape of the documents where no elastic.mapping.mode attribute asks for another. "otel" unless allowed_modes lacks it; then the first of those.',
          ),
        allowed_modes: z
          .array(z.enum(MAPPING_MODES))
          .min(1)
          .default([...MAPPING_MODES])
          .describe('Modes that attributes may ask for; records that ask for another are refused.'),
      })
      .refine(({ mode, allowed_modes }) => mode === undefined || allowed_modes.includes(mode), {
        message: 'expected one of allowed_modes',
        path: ['mode'],
      })
      .prefault({})
      .describe('How records become documents: docs/elasticsearch.md.'),
    setup: setupConfig,
    field_watch: fieldWatchConfig,
  })
  .superRefine(checkConnection)
  .refine(({ logs_index, logs_dynamic_index }) => logs_index === undefined || !logs_dynamic_index.enabled, {
    message: 'expected only one of logs_index and logs_dynamic_index.enabled',
    path: ['logs_dynamic_index'],
  })

export type ElasticsearchConfig = z.output<typeof config>

/** Where documents may go. */
export function targetOptions(config: ElasticsearchConfig): TargetOptions {
  const { logs_index, logstash_format, logs_dynamic_pipeline } = config
  return {
    index: logs_index,
    logstash: logstash_format.enabled ? logstash_format : undefined,
    pipelines: logs_dynamic_pipeline.enabled,
  }
}

/** The mode of records that ask for none. */
export function defaultMode({ mapping: { mode, allowed_modes } }: ElasticsearchConfig): MappingMode {
  return mode ?? (allowed_modes.includes('otel') ? 'otel' : allowed_modes[0])
}
