import { OVERFLOW_FIELDS } from '../fields/overflow.ts'
import type { Json } from './request.ts'
import { isOlder, type Server } from './server.ts'

const KEYWORD = { type: 'keyword', ignore_above: 1024 }

/** Longer than any of them is indexed as words, and found in full in the document. */
const STRINGS = { strings: { match_mapping_type: 'string', mapping: KEYWORD } }
/** Elasticsearch would take a float, and lose digits. */
const DOUBLES = { doubles: { match_mapping_type: 'double', mapping: { type: 'double' } } }
/** For servers that refuse a document which is the first to have a field, and has 12.25 and 7 in it. */
const LONGS = { longs: { match_mapping_type: 'long', mapping: { type: 'double' } } }

export interface MappingOptions {
  readonly timestamp: 'date_nanos' | 'date'
}

/** For documents of mode `otel`: docs/elasticsearch.md. */
export function otelMappings(server: Server, options: MappingOptions): Json {
  const { fields, has } = server
  const { text, nanoseconds, json } = fields
  const attributes = (priority: number, properties: Json = {}): Json => ({
    ...fields.attributes,
    ...('priority' in fields.attributes && { priority }),
    ...(isDynamic(fields.attributes) && Object.keys(properties).length > 0 && { properties }),
  })
  return {
    date_detection: false,
    dynamic: false,
    dynamic_templates: [
      // Maps and lists of maps in attributes: any keys, one field.
      ...(fields.attributes.type === 'passthrough' && json.type !== 'object'
        ? [{ maps: { match_mapping_type: 'object', mapping: json } }]
        : []),
      ...longTexts(text),
      STRINGS,
      DOUBLES,
      ...(fields.attributes.type === 'passthrough' ? [] : longs(server)),
    ],
    properties: {
      ...commonProperties(fields, options),
      observed_timestamp: nanoseconds,
      severity_text: KEYWORD,
      severity_number: { type: 'byte' },
      trace_id: KEYWORD,
      span_id: KEYWORD,
      trace_flags: { type: 'long' },
      event_name: KEYWORD,
      dropped_attributes_count: { type: 'long' },
      body: { properties: { text, structured: json } },
      event: { properties: { ingested: nanoseconds } },
      attributes: attributes(20),
      [OVERFLOW_FIELDS.otel]: json,
      scope: {
        properties: {
          name: KEYWORD,
          version: KEYWORD,
          schema_url: KEYWORD,
          dropped_attributes_count: { type: 'long' },
          attributes: attributes(30),
        },
      },
      resource: {
        properties: {
          schema_url: KEYWORD,
          dropped_attributes_count: { type: 'long' },
          // The sort of logsdb wants it to be there from the start.
          attributes: attributes(40, has.logsdb ? { 'host.name': KEYWORD } : {}),
        },
      },
      // What screens made for ECS ask for.
      message: { type: 'alias', path: 'body.text' },
      'log.level': { type: 'alias', path: 'severity_text' },
      'trace.id': { type: 'alias', path: 'trace_id' },
      'span.id': { type: 'alias', path: 'span_id' },
    },
  }
}

/** For documents of mode `ecs`. Where the server has the names of ECS itself, as ecs@mappings, those are added. */
export function ecsMappings(server: Server, options: MappingOptions): Json {
  const { fields, componentTemplates } = server
  const { text, nanoseconds, json } = fields
  const hasEcs = componentTemplates.has(ECS_COMPONENT)
  return {
    date_detection: false,
    dynamic_templates: [
      ...longTexts(text),
      ...(hasEcs ? [] : [{ ips: { match_mapping_type: 'string', match: 'ip', mapping: { type: 'ip' } } }]),
      // The last rule of ecs@mappings is this one.
      ...(hasEcs ? [] : [STRINGS]),
      DOUBLES,
      ...longs(server),
    ],
    properties: {
      ...commonProperties(fields, options),
      message: text,
      body: { properties: { structured: json } },
      log: { properties: { level: KEYWORD, logger: KEYWORD } },
      trace: { properties: { id: KEYWORD } },
      span: { properties: { id: KEYWORD } },
      event: {
        properties: {
          created: nanoseconds,
          ingested: nanoseconds,
          severity: { type: 'long' },
          action: KEYWORD,
        },
      },
      [OVERFLOW_FIELDS.ecs]: json,
      host: { properties: { name: KEYWORD } },
    },
  }
}

export const ECS_COMPONENT = 'ecs@mappings'

function commonProperties({ constant, nanoseconds }: Server['fields'], { timestamp }: MappingOptions): Json {
  return {
    '@timestamp': {
      type: timestamp === 'date' ? 'date' : nanoseconds.type,
      ignore_malformed: false,
    },
    data_stream: {
      properties: { type: constant, dataset: constant, namespace: constant },
    },
  }
}

/** Stack traces and messages, which are too long for one term. */
function longTexts(text: Json): Json[] {
  return [
    { stacktraces: { match_mapping_type: 'string', match: '*stack*trace', mapping: text } },
    { messages: { match_mapping_type: 'string', match: '*message', mapping: text } },
  ]
}

function longs({ product, version }: Server): Json[] {
  return product === 'OpenSearch' || isOlder(version, [9, 0]) ? [LONGS] : []
}

function isDynamic(mapping: Json): boolean {
  return mapping.dynamic === true
}
