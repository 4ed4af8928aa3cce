import { defineExporter } from '../../src/define.ts'
import { Client } from './client/client.ts'
import { config } from './config.ts'
import { DeadLetterArchive } from './dead-letter-archive.ts'
import { ElasticsearchExporter } from './exporter.ts'
import { setupOf } from './setup/index.ts'

export const elasticsearch = defineExporter({
  type: 'elasticsearch',
  summary: 'Delivers to Elasticsearch or OpenSearch by bulk requests, with ids that make retries harmless.',
  config,
  example: { endpoint: 'http://127.0.0.1:9200' },
  setup: setupOf,

  letters(settings, { log }) {
    const { dead_letters } = settings
    return dead_letters && new DeadLetterArchive(new Client(settings, { log }), dead_letters.data_stream)
  },

  create: (settings, context) => new ElasticsearchExporter(settings, context),
})
