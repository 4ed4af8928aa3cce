import { DELAY, INGESTED, type LogFields, TIME } from './fields.ts'
import { type SavedObject, savedObject } from './saved-object.ts'

export interface DataView {
  readonly id: string
  readonly name: string
  /** Index pattern: comma-separated, wildcards, `-` leaves out. */
  readonly pattern: string
  /** How fields are shown, by field. */
  readonly formats?: Readonly<Record<string, object>>
  /** Fields that are computed when they are asked for, by name. */
  readonly runtime?: Readonly<Record<string, object>>
}

/** A data view over a pattern which need not match anything yet. */
export function dataViewObject({ id, name, pattern, formats = {}, runtime = {} }: DataView): SavedObject {
  return savedObject('index-pattern', id, {
    title: pattern,
    name,
    timeFieldName: TIME,
    allowNoIndex: true,
    fields: '[]',
    fieldAttrs: '{}',
    sourceFilters: '[]',
    typeMeta: '{}',
    fieldFormatMap: JSON.stringify(formats),
    runtimeFieldMap: JSON.stringify(runtime),
  })
}

/** Durations in milliseconds, and traces that lead to all their records. */
export function logFormats(
  { duration, trace }: LogFields,
  traceSearchId: string,
): Readonly<Record<string, object>> {
  const query = encodeURIComponent(`${trace}:"`)
  return {
    [duration]: durationFormat('nanoseconds'),
    [DELAY]: durationFormat('milliseconds'),
    [trace]: {
      id: 'url',
      params: {
        // Relative to Kibana's /app/, and so in the space that one is in.
        urlTemplate: `../app/discover#/view/${traceSearchId}?_g=(time:(from:now-7d,to:now))&_a=(query:(language:kuery,query:'${query}{{value}}%22'))`,
        labelTemplate: '{{value}}',
      },
    },
  }
}

function durationFormat(inputFormat: string): object {
  return {
    id: 'duration',
    params: { inputFormat, outputFormat: 'asMilliseconds', outputPrecision: 1, useShortSuffix: true },
  }
}

/**
 * The delay of a document: from its record's own time to its indexing, where an ingest pipeline noted that, else to
 * when the record was observed. Negative where clocks differ.
 */
export function delayField({ observed }: LogFields): Readonly<Record<string, object>> {
  const has = (field: string): string => `doc.containsKey('${field}') && doc['${field}'].size() > 0`
  // What is no date in some index, or not there, must not fail the search.
  const source = [
    `def last = null;`,
    `if (${has(INGESTED)}) { last = doc['${INGESTED}'].value; }`,
    `if (!(last instanceof ZonedDateTime) && ${has(observed)}) { last = doc['${observed}'].value; }`,
    `if (last instanceof ZonedDateTime && ${has(TIME)}) {`,
    `emit(last.toInstant().toEpochMilli() - doc['${TIME}'].value.toInstant().toEpochMilli()); }`,
  ]
  return { [DELAY]: { type: 'long', script: { source: source.join(' ') } } }
}
