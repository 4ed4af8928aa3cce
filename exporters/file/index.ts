import { defineExporter } from '../../src/define.ts'
import { FileConfig } from './config.ts'
import { FileExporter } from './exporter.ts'

/**
 * Appends lines of JSON. A batch is acknowledged after fdatasync, unless `fsync` says otherwise. After a crash a batch
 * may be written again, so a line can be there twice: files have no ids to refuse it by.
 */
export const file = defineExporter({
  type: 'file',
  summary:
    'Writes newline-delimited JSON, one file per service and day; rotates, compresses and deletes files.',
  config: FileConfig,
  example: { directory: '/tmp/sluice-example' },
  oneProcess: 'two would write over each other in its files',
  create: (config, context) => new FileExporter(config, context),
})
