import { describe, expect, it } from 'vitest'
import { formatDate, isDateFormat } from '../../../exporters/elasticsearch/date-format.ts'
import { Targets } from '../../../exporters/elasticsearch/target.ts'
import type { Route } from '../../../src/logs/ndjson/control.ts'
import { type MappingMode, UnfitError } from '../../../src/logs/ndjson/mapping.ts'

const RECEIVED_MS = Date.UTC(2026, 2, 1, 23, 59)
const targets = new Targets()
const indexOf = (route: Route, mode: MappingMode = 'otel', of = targets): string =>
  of.of(route, mode, RECEIVED_MS).index
const actionOf = (route: Route, mode: MappingMode, of = targets): unknown => {
  const { actionHead, actionTail } = of.of(route, mode, RECEIVED_MS)
  return JSON.parse(`${String(actionHead)}${String(actionTail)}`)
}

describe('where a document goes', () => {
  it.each<[Route, string]>([
    [{}, 'logs-generic.otel-default'],
    [{ dataset: 'Shop-Cart', namespace: 'EU-West' }, 'logs-shop_cart.otel-eu-west'],
    [{ dataset: '..\\/*?"<>|', namespace: ' ,#:x\n' }, 'logs-..________.otel-____x_'],
    [
      { dataset: 'x'.repeat(200), namespace: 'y'.repeat(200) },
      `logs-${'x'.repeat(95)}.otel-${'y'.repeat(100)}`,
    ],
    [{ dataset: '漢'.repeat(50) }, `logs-${'漢'.repeat(31)}.otel-default`],
    [{ dataset: '😀'.repeat(50) }, `logs-${'😀'.repeat(23)}.otel-default`],
    [{ scopeDataset: 'hostmetricsreceiver' }, 'logs-hostmetricsreceiver.otel-default'],
    [{ dataset: 'own', scopeDataset: 'hostmetricsreceiver' }, 'logs-own.otel-default'],
    [{ type: 'metrics' }, 'logs-generic.otel-default'],
    [{ index: '.Kibana', dataset: 'x' }, 'kibana'],
    [{ index: '_-+.' }, 'unknown'],
    [{ index: 'a/b*c' }, 'a_b_c'],
  ])('of %j is %s', (route, index) => {
    expect(indexOf(route)).toBe(index)
  })

  it('has the suffix .otel in that mode alone', () => {
    expect(
      (['ecs', 'none', 'raw', 'bodymap'] as const).map((mode) => indexOf({ dataset: 'a' }, mode)),
    ).toEqual(Array.from({ length: 4 }, () => 'logs-a-default'))
  })

  it('is of another type where bodymap says so, and nowhere when that is unknown', () => {
    expect(indexOf({ type: 'metrics' }, 'bodymap')).toBe('metrics-generic-default')
    expect(() => indexOf({ type: 'traces' }, 'bodymap')).toThrow(UnfitError)
  })

  it('is what the config fixes, whatever attributes say', () => {
    expect(indexOf({ dataset: 'x', index: 'y' }, 'otel', new Targets({ index: 'all-logs' }))).toBe('all-logs')
  })

  it('has the date of receipt with logstash_format', () => {
    const byDate = new Targets({ logstash: { prefix_separator: '-', date_format: '%Y.%m.%d' } })
    expect(indexOf({}, 'otel', byDate)).toBe('logs-generic.otel-default-2026.03.01')
    expect(indexOf({ index: 'mine' }, 'ecs', byDate)).toBe('mine-2026.03.01')
    expect(String(byDate.of({}, 'ecs', RECEIVED_MS + 60_000).index)).toBe('logs-generic-default-2026.03.02')
  })
})

describe('the action of a document', () => {
  it('asks for a data stream where the mode needs one', () => {
    const stream = { _index: 'logs-generic-default' }
    expect(actionOf({}, 'ecs')).toEqual({ create: { ...stream, require_data_stream: true } })
    expect(actionOf({}, 'none')).toEqual({ create: stream })
    expect(actionOf({ index: 'mine' }, 'ecs')).toEqual({ create: { _index: 'mine' } })
  })

  it('names the pipeline of an attribute, where attributes may name one', () => {
    const dynamic = new Targets({ pipelines: true })
    const route = { pipeline: 'a "b"', index: 'mine' }
    expect(actionOf(route, 'otel', dynamic)).toEqual({ create: { _index: 'mine', pipeline: 'a "b"' } })
    expect(actionOf(route, 'otel')).toEqual({ create: { _index: 'mine' } })
  })
})

describe('what a document says of its data stream', () => {
  const fieldsIn = (route: Route, mode: MappingMode): unknown =>
    JSON.parse(`{"":0${String(targets.of(route, mode, RECEIVED_MS).dataStream)}}`)

  it.each<[MappingMode, object]>([
    ['otel', { data_stream: { type: 'logs', dataset: 'a"b.otel', namespace: 'n' } }],
    ['ecs', { data_stream: { type: 'logs', dataset: 'a"b', namespace: 'n' } }],
    [
      'none',
      {
        'Attributes.data_stream.type': 'logs',
        'Attributes.data_stream.dataset': 'a"b',
        'Attributes.data_stream.namespace': 'n',
      },
    ],
    ['raw', { 'data_stream.type': 'logs', 'data_stream.dataset': 'a"b', 'data_stream.namespace': 'n' }],
    ['bodymap', {}],
  ])('is as the Collector writes it in mode %s', (mode, fields) => {
    const clean = JSON.parse(JSON.stringify(fields).replaceAll('a\\"b', 'a_b')) as object
    expect(fieldsIn({ dataset: 'a"b', namespace: 'n' }, mode)).toEqual({ '': 0, ...clean })
  })

  it('is nothing where an attribute names the index', () => {
    expect(fieldsIn({ index: 'mine' }, 'otel')).toEqual({ '': 0 })
  })
})

describe('dates in names', () => {
  it('are written as strftime writes them', () => {
    expect(formatDate('%Y.%m.%d-%H %y %j%%', RECEIVED_MS)).toBe('2026.03.01-23 26 060%')
  })

  it.each([
    ['%Y.%m.%d', true],
    ['%', false],
    ['%Q', false],
  ])('are known or not: %s', (format, known) => {
    expect(isDateFormat(format)).toBe(known)
  })
})
