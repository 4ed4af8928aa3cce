import { z } from 'zod'
import { type Exporter, PermanentError, type Rejection } from '../../src/component.ts'
import { defineExporter } from '../../src/define.ts'
import { JsonWriter } from '../../src/logs/ndjson/json-writer.ts'
import { resourceText } from '../../src/logs/ndjson/otel-context.ts'
import { OtelDocuments } from '../../src/logs/ndjson/otel-document.ts'
import { Appender } from './appender.ts'
import { PathTemplate } from './path-template.ts'

const TARGET = { dataStream: Buffer.alloc(0) }
const INITIAL_BYTES = 1024 * 1024
/** No path tells times within an hour apart. */
const HOUR_MS = 3_600_000

/**
 * Appends one JSON line a record. A batch is acknowledged after fdatasync. After a crash a batch may be written
 * again, so a line can be there twice: files have no ids to refuse it by.
 */
export const file = defineExporter({
  type: 'file',
  summary: 'Writes newline-delimited JSON, one file per service and day.',
  config: z.strictObject({
    directory: z.string().min(1).describe('Folder that holds the files.'),
    path: z
      .string()
      .min(1)
      .refine(
        (path) => !path.startsWith('/') && !path.split('/').includes('..'),
        'must stay inside the directory',
      )
      .default('{service.name}/{YYYY-MM-DD}.ndjson')
      .describe(
        'Path of a file below it: {resource attribute}, and {YYYY-MM-DD} or its parts, of the record in UTC.',
      ),
  }),
  example: { directory: '/tmp/sluice-example' },
  oneProcess: 'two would write over each other in its files',

  create({ directory, path }): Exporter {
    const template = new PathTemplate(path)
    const appender = new Appender(directory)

    return {
      async export(batch) {
        const out = new JsonWriter(Math.max(INITIAL_BYTES, batch.byteLength * 2))
        const rejected: Rejection[] = []
        const ranges: { readonly path: string; readonly start: number; readonly end: number }[] = []
        let start = 0
        let last = { scope: -1, hour: -1, name: '' }
        const documents = new OtelDocuments({
          timestamps: 'rfc3339',
          target: () => TARGET,
          after({ scope, timeMs }) {
            const hour = Math.floor(timeMs / HOUR_MS)
            if (scope !== last.scope || hour !== last.hour) {
              const name = template.path(timeMs, (attribute) => resourceText(batch.data, scope, attribute))
              last = { scope, hour, name }
            }
            ranges.push({ path: last.name, start, end: out.pos })
            start = out.pos
          },
          failed: (record, error) => {
            rejected.push({ records: [record], reason: `not a valid record: ${error.message}` })
          },
        })
        documents.render(batch, out)
        const chunks = new Map<string, Buffer[]>()
        for (const range of ranges) {
          const lines = chunks.get(range.path)
          const line = out.bytes.subarray(range.start, range.end)
          if (lines) lines.push(line)
          else chunks.set(range.path, [line])
        }
        await appender.append(chunks)
        if (rejected.length > 0) throw new PermanentError(rejected[0].reason, { rejected })
      },
      stop: () => appender.close(),
    }
  },
})
