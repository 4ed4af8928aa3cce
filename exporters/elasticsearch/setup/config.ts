import { z } from 'zod'
import { bytes, duration } from '../../../src/config/fields.ts'

/** A part of the name of a data stream, with stars. */
const pattern = z
  .string()
  .regex(/^[^A-Z\s\\/?"<>|,#:-]+$/, 'expected a dataset or namespace in lower case, with * for any text')
const patterns = z.array(pattern).min(1)

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_.-]*$/, 'expected lower case letters, digits, "_", "." and "-"')

const json = z.record(z.string(), z.unknown())

const hot = z
  .strictObject({
    max_age: duration()
      .optional()
      .describe('Age at which a new index is begun; without it, by the time of deletion: 1d, 7d or 30d.'),
    max_primary_shard_size: bytes()
      .prefault('50GiB')
      .describe('Size of a primary shard at which a new index is begun.'),
  })
  .prefault({})
  .describe('When a new index is begun. All other ages count from then.')

const policy = z
  .strictObject({
    datasets: patterns
      .optional()
      .describe(
        'Datasets it is for. Without it those that end with its name: "audit" and "*.audit" for audit.',
      ),
    namespaces: patterns.optional().describe('Namespaces it is for; those of setup.namespaces without it.'),
    hot,
    warm: duration().optional().describe('Age at which indices move to warm nodes and are merged.'),
    cold: duration().optional().describe('Age at which indices move to cold nodes.'),
    frozen: z
      .strictObject({
        after: duration().describe('Age at which only a snapshot is left to be searched.'),
        repository: z.string().min(1).describe('Snapshot repository, which must be there.'),
      })
      .optional()
      .describe('Searchable snapshots; Elasticsearch wants an Enterprise licence for them.'),
    delete: duration().optional().describe('Age at which indices are deleted; never without it.'),
  })
  .superRefine((phases, context) => {
    let before = 0
    for (const [phase, after] of agesOf(phases)) {
      if (after < before) {
        context.addIssue({
          code: 'custom',
          path: [phase],
          message: 'expected an age beyond that of the phase before',
        })
      }
      before = after
    }
  })

const lifecycle = z
  .strictObject({
    prefer: z
      .enum(['auto', 'ilm', 'dsl', 'ism', 'none'])
      .default('auto')
      .describe(
        'Index lifecycle management, data stream lifecycle, or the ISM of OpenSearch. "auto" takes what the server has, in this order.',
      ),
    policies: z
      .record(name, policy)
      .default({})
      .describe(
        'By name; the first that fits a data stream counts. "default" is for all others; without it they are kept for ever.',
      ),
  })
  .prefault({})
  .describe('How long records are kept, and where.')

const reader = z.strictObject({
  datasets: patterns.default(['*']).describe('Datasets the team reads.'),
  namespaces: patterns.default(['*']).describe('Namespaces the team reads.'),
  query: json
    .optional()
    .describe(
      'Only documents that this query finds. Wants a licence; where it is missing the role is not made.',
    ),
  fields: patternsOfFields().optional().describe('Only these fields. Wants a licence as well.'),
  except_fields: patternsOfFields().optional().describe('All fields but these. Wants a licence as well.'),
})

const roles = z
  .strictObject({
    writer: z
      .boolean()
      .default(false)
      .describe('Makes the role <prefix>_writer: it may create documents, and neither read nor delete.'),
    readers: z.record(name, reader).default({}).describe('By team; the role is <prefix>_reader_<team>.'),
  })
  .prefault({})
  .describe('Roles, where the server has security.')

/** What `sluice es setup` makes, and `on_start`. */
export const setupConfig = z
  .strictObject({
    on_start: z
      .boolean()
      .default(false)
      .describe('Sets the server up before the first delivery, as `sluice es setup` does.'),
    prefix: name
      .default('sluice')
      .describe(
        'Begins the names of all that is made; two configs for one server need two, and two priorities.',
      ),
    modes: z
      .array(z.enum(['otel', 'ecs']))
      .min(1)
      .optional()
      .describe('Mapping modes that get templates; that of mapping.mode unless set.'),
    datasets: patterns.default(['*']).describe('Datasets that the templates are for, without ".otel".'),
    namespaces: patterns.default(['*']).describe('Namespaces that the templates are for.'),
    priority: z
      .strictObject({
        otel: z.int().nonnegative().default(150).describe('For mode otel; the built-in template has 120.'),
        ecs: z.int().nonnegative().default(105).describe('For mode ecs; the built-in template has 100.'),
      })
      .prefault({})
      .describe(
        'Priority of the templates. Those of policies count up from it; integrations of Elastic have 200.',
      ),
    shards: z.int().positive().default(1).describe('Primary shards of an index.'),
    replicas: z
      .int()
      .nonnegative()
      .optional()
      .describe("Copies of each shard; the server's default unless set."),
    refresh_interval: duration()
      .prefault('30s')
      .describe('Time until a record can be found. Shorter costs the server more.'),
    translog: z
      .enum(['request', 'async'])
      .default('request')
      .describe(
        '"async" saves disk writes, and loses up to 5 s of acknowledged records when a node and its disk cache fail.',
      ),
    total_fields_limit: z
      .int()
      .positive()
      .default(1000)
      .describe('Fields of an index. What comes beyond stays in the document and is not searched.'),
    timestamp: z
      .enum(['date_nanos', 'date'])
      .default('date_nanos')
      .describe(
        'Type of @timestamp; "date", that of the built-in templates, sorts and finds by milliseconds.',
      ),
    logsdb: z
      .enum(['auto', 'on', 'off'])
      .default('auto')
      .describe('Index mode logsdb, which halves the disk. "auto" where the server has it.'),
    failure_store: z
      .enum(['on', 'off'])
      .optional()
      .describe('Whether refused documents go to a store of the server; as the server likes unless set.'),
    component_templates: z
      .array(z.string().min(1))
      .default([])
      .describe('More of them, after those of Sluice. logs@custom, logs-otel@custom count anyhow.'),
    ingest_pipeline: z
      .strictObject({
        processors: z.array(json).default([]).describe('Processors as Elasticsearch writes them.'),
      })
      .optional()
      .describe(
        'Makes the pipeline <prefix>-logs, which runs for every document, and runs the pipeline logs@custom at its end.',
      ),
    lifecycle,
    roles,
  })
  .prefault({})
  .describe('What the server is given: docs/elasticsearch-setup.md.')

export type SetupConfig = z.output<typeof setupConfig>
export type Policy = z.output<typeof policy>
export type Reader = z.output<typeof reader>

/** The phases after the first, with their ages in milliseconds. */
export function agesOf({
  warm,
  cold,
  frozen,
  delete: deletion,
}: Pick<Policy, 'warm' | 'cold' | 'frozen' | 'delete'>): (readonly [string, number])[] {
  const ages = [
    ['warm', warm],
    ['cold', cold],
    ['frozen', frozen?.after],
    ['delete', deletion],
  ] as const
  return ages.flatMap(([phase, age]) => (age === undefined ? [] : [[phase, age] as const]))
}

function patternsOfFields() {
  return z.array(z.string().min(1)).min(1)
}
