import { DEAD_LETTER_STREAM, dataStreamParts } from './dead-letter-config.ts'

/** Above those that match all logs: Elasticsearch's own have 100 to 200. Two of the same must not overlap. */
const PRIORITY = 650
/** Of what is out of the record; nothing else is long. */
const MAX_KEYWORD = 1024

/**
 * The index template that dead letters need, for `PUT _index_template/<name>`; Elasticsearch 8 and newer and OpenSearch
 * take it. One is for all data streams of the dataset, whatever their namespace.
 */
export function deadLetterTemplate(dataStream: string = DEAD_LETTER_STREAM): {
  readonly name: string
  readonly body: object
} {
  const { dataset } = dataStreamParts(dataStream)
  const keyword = { type: 'keyword' }
  const long = { type: 'keyword', ignore_above: MAX_KEYWORD }
  const keywords = (...names: string[]) => ({
    properties: Object.fromEntries(names.map((name) => [name, keyword])),
  })
  return {
    name: `logs-${dataset}`,
    body: {
      index_patterns: [`logs-${dataset}-*`],
      priority: PRIORITY,
      data_stream: {},
      template: {
        settings: { number_of_shards: 1, codec: 'best_compression' },
        mappings: {
          // What a letter says of itself is known; what it holds is one value that nobody searches.
          dynamic: false,
          properties: {
            '@timestamp': { type: 'date' },
            data_stream: keywords('type', 'dataset', 'namespace'),
            reason: long,
            http: { properties: { response: { properties: { status_code: { type: 'short' } } } } },
            error: keywords('type', 'field', 'field_type'),
            target: keywords('index', 'id'),
            letter: keywords('id'),
            pipeline: keyword,
            exporter: keyword,
            service: { properties: { name: long } },
            otlp: { type: 'binary' },
          },
        },
      },
      _meta: { description: 'Dead letters of Sluice: records that Elasticsearch refused, to be replayed' },
    },
  }
}
