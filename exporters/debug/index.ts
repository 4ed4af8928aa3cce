import { z } from 'zod'
import type { Exporter } from '../../src/component.ts'
import { defineExporter } from '../../src/define.ts'
import { JsonWriter } from '../../src/logs/ndjson/json-writer.ts'
import { OtelDocuments } from '../../src/logs/ndjson/otel-document.ts'

const TARGET = { dataStream: Buffer.alloc(0) }

/** For trying a pipeline: shows that records arrive, and on request what is in them. */
export const debug = defineExporter({
  type: 'debug',
  summary: 'Says how many records arrive, or prints them on standard output.',
  config: z.strictObject({
    verbosity: z
      .enum(['basic', 'detailed'])
      .default('basic')
      .describe(
        '"basic" logs a count per batch; "detailed" prints every record as a JSON line on standard output.',
      ),
  }),
  example: {},

  create({ verbosity }, { log }): Exporter {
    return {
      async export(batch) {
        if (verbosity === 'basic') {
          log.info({ records: batch.size }, 'batch')
          return
        }
        const out = new JsonWriter(Math.max(4096, batch.byteLength * 2))
        const documents = new OtelDocuments({
          timestamps: 'rfc3339',
          target: () => TARGET,
          failed: (record, error) => log.warn({ record, err: error.message }, 'record could not be rendered'),
        })
        documents.render(batch, out)
        const bytes = Buffer.from(out.bytes.subarray(0, out.pos))
        await new Promise<void>((resolve) => process.stdout.write(bytes, () => resolve()))
      },
    }
  },
})
