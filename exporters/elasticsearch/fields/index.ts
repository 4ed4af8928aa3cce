import type { ComponentContext } from '../../../src/define.ts'
import type { FieldWatchConfig } from './config.ts'
import { FieldWatch, type MoveReason } from './field-watch.ts'

/** The watch over an exporter's fields, and what counts the attributes it moved. */
export interface WatchedFields {
  readonly watch: FieldWatch
  count(moved: ReadonlyMap<MoveReason, number>): void
}

/** Tells of fields in the log and metrics. Data streams of the log's lines are names that were cleaned. */
export function watchFields(
  config: FieldWatchConfig,
  { log, metrics }: Pick<ComponentContext, 'log' | 'metrics'>,
): WatchedFields {
  const watch = new FieldWatch(config, {
    watched: (name, fields) => {
      metrics.gauge(
        'sluice_elasticsearch_fields',
        'Different fields seen in the documents of a data stream, since the start.',
        { data_stream: name },
        fields,
        'max',
      )
    },
    exploding: ({ stream, fields, prefix, children, isMoved }) => {
      metrics
        .gauge(
          'sluice_elasticsearch_exploding_fields',
          'Different names below the one that has the most, of a data stream with too many fields.',
          { data_stream: stream, prefix },
          undefined,
          'max',
        )
        .set(children)
      const what = { dataStream: stream, fields, prefix, children }
      if (isMoved)
        log.warn(what, 'a data stream has too many fields; attributes below the prefix go into one')
      else log.warn(what, 'a data stream has too many fields; most are below the prefix')
    },
    full: (streams) => log.warn({ streams }, 'no more data streams than these are watched for their fields'),
  })
  return {
    watch,
    count: (moved) => {
      for (const [reason, attributes] of moved) {
        metrics
          .counter(
            'sluice_elasticsearch_moved_attributes_total',
            'Attributes that were moved into one field because their names are made of data, by reason.',
            { reason },
          )
          .inc(attributes)
      }
    },
  }
}
