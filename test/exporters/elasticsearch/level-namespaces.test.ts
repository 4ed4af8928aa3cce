import { describe, expect, it } from 'vitest'
import { BulkRenderer } from '../../../exporters/elasticsearch/bulk.ts'
import { config } from '../../../exporters/elasticsearch/config.ts'
import { type Level, LevelNamespaces } from '../../../exporters/elasticsearch/level-namespaces.ts'
import { Mappings } from '../../../exporters/elasticsearch/mappings.ts'
import { Targets } from '../../../exporters/elasticsearch/target.ts'
import type { LogBatch } from '../../../src/logs/batch.ts'
import { memory } from '../../../src/memory.ts'
import { attributes, batchOf, text } from '../../support/otlp.ts'

/** The indices that the documents of a batch go to. */
function indicesOf(batch: LogBatch, namespaces: Partial<Record<Level, string>>): string[] {
  const levels = new LevelNamespaces(namespaces)
  batch.identify(Buffer.alloc(32))
  const ids = { attribute: false, batch: true }
  const { body } = new BulkRenderer(new Targets(), new Mappings(), ids, { levels }).render(batch)
  const lines = body.toString().split('\n')
  memory.give(body)
  return lines
    .filter((line) => line.startsWith('{"create"'))
    .map((line) => (JSON.parse(line) as { create: { _index: string } }).create._index)
}

const level = (severityNumber: number, texts: Readonly<Record<string, string>> = {}): object => ({
  severityNumber,
  body: text('x'),
  attributes: attributes(Object.fromEntries(Object.entries(texts).map(([key, value]) => [key, text(value)]))),
})

describe('namespaces by level', () => {
  it('take the records of their level and of those above it, up to the next one', () => {
    const batch = batchOf([0, 1, 12, 13, 16, 17, 20, 21, 24].map((number) => level(number)))
    expect(indicesOf(batch, { warn: 'warn', fatal: 'urgent' })).toEqual(
      ['default', 'default', 'default', 'warn', 'warn', 'warn', 'warn', 'urgent', 'urgent'].map(
        (namespace) => `logs-generic.otel-${namespace}`,
      ),
    )
  })

  it('leave the dataset as it is, of each scope its own', () => {
    const of = (dataset: string): LogBatch =>
      batchOf([level(17), level(9)], { attributes: attributes({ 'data_stream.dataset': text(dataset) }) })
    expect(indicesOf(of('shop'), { error: 'error' })).toEqual([
      'logs-shop.otel-error',
      'logs-shop.otel-default',
    ])
    expect(indicesOf(of('desk'), { error: 'error' })[0]).toBe('logs-desk.otel-error')
  })

  it('give way to what an attribute asks for', () => {
    const records = [
      level(17, { 'data_stream.namespace': 'eu' }),
      level(17, { 'data_stream.dataset': 'own' }),
    ]
    expect(indicesOf(batchOf(records), { error: 'error' })).toEqual([
      'logs-generic.otel-eu',
      'logs-own.otel-error',
    ])
  })

  it('are named in the config as namespaces may be named', () => {
    const parse = (level_namespaces: object) =>
      config.safeParse({ endpoint: 'http://es:9200', level_namespaces }).success
    expect(parse({ error: 'error', warn: 'a_b' })).toBe(true)
    for (const wrong of [{ error: 'Error' }, { error: '' }, { error: 'a b' }, { loud: 'x' }])
      expect(parse(wrong)).toBe(false)
  })
})
