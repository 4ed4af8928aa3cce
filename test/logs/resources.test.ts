import { describe, expect, it } from 'vitest'
import { LogBatch } from '../../src/logs/batch.ts'
import { divideByResource, nameResources } from '../../src/logs/resources.ts'
import { documentsOf } from '../support/otlp.ts'
import { makeRequest } from '../support/requests.ts'

const byService = (batch: LogBatch): ReadonlyMap<string, LogBatch> =>
  divideByResource(
    batch,
    nameResources(batch, (resource) => resource.attribute('service.name') as string),
  )

/** Requests one after the other are a request. */
const request = (...services: readonly string[]): Buffer =>
  Buffer.concat(
    services.map((service, i) => makeRequest({ records: 2, service, body: (n) => `${service} ${i}.${n}` })),
  )

const bodies = (batch: LogBatch | undefined): unknown[] =>
  batch === undefined ? [] : documentsOf(batch).map((document) => document.body?.text)

describe('divideByResource', () => {
  it('gives the batch itself where all resources are of one kind', () => {
    const batch = LogBatch.decode(request('shop', 'shop'))

    expect(byService(batch).get('shop')).toBe(batch)
  })

  it('gives every record to the resource it is of, under the ids it has', () => {
    const batch = LogBatch.decode(request('shop', 'cart', 'shop'))
    batch.identify(Buffer.alloc(32))

    const parts = byService(batch)

    expect(bodies(parts.get('shop'))).toEqual(['shop 0.0', 'shop 0.1', 'shop 2.0', 'shop 2.1'])
    expect(bodies(parts.get('cart'))).toEqual(['cart 1.0', 'cart 1.1'])
    const stored = [...parts.values()].map((part) => LogBatch.open(part.encode(1e9)[0].bytes))
    expect(stored.map(({ data }) => data.parts[0].id)).toEqual([
      batch.data.parts[0].id,
      batch.data.parts[0].id,
    ])
    expect(stored.map((part) => part.data.rows.length / 14)).toEqual([4, 2])
  })

  it('leaves out what was dropped', () => {
    const batch = LogBatch.decode(request('shop', 'cart'))
    batch.forEach((record) => record.drop('test'))

    expect(byService(batch).size).toBe(0)
  })

  it('sees what a processor made of a resource', () => {
    const batch = LogBatch.decode(request('secret', 'cart'))
    batch.rewriteTexts(
      (bytes, start, end, found) => {
        const at = bytes.indexOf('secret', start)
        if (at !== -1 && at < end) found(at)
      },
      (text) => text.replaceAll('secret', 'masked'),
      'failure',
    )

    expect([...byService(batch).keys()]).toEqual(['masked', 'cart'])
  })
})
