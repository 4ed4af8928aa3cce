import { describe, expect, it } from 'vitest'
import { LogBatch } from '../../src/logs/batch.ts'
import { firstEnvelope } from '../../src/logs/envelope.ts'
import { setResourceAttribute } from '../../src/logs/resource-attribute.ts'
import { nameResources } from '../../src/logs/resources.ts'
import { documentsOf } from '../support/otlp.ts'
import { makeRequest } from '../support/requests.ts'

const KEY = Buffer.alloc(32, 7)
const request = makeRequest({ records: 3 })

function element(tenant?: string): Buffer {
  const batch = LogBatch.decode(request, 1_700_000_000_000, tenant)
  batch.identify(KEY)
  return batch.encode(1e9)[0].bytes
}

const tenantsOf = (batch: LogBatch): string[] => nameResources(batch, ({ tenant }) => tenant ?? 'none')

describe('the tenant of a batch', () => {
  it('travels through buffers, and stays with its records when batches are put together', () => {
    const together = LogBatch.concat(
      [element('one'), element(), element('two')].map((bytes) => LogBatch.open(bytes)),
    )
    const again = LogBatch.open(together.encode(1e9)[0].bytes)

    expect(tenantsOf(together)).toEqual(['one', 'none', 'two'])
    expect(tenantsOf(again)).toEqual(['one', 'none', 'two'])
  })

  it('makes two requests of the same bytes, and none keeps the id of before', () => {
    const idOf = (tenant?: string): string => Buffer.from(firstEnvelope(element(tenant)).id).toString('hex')

    expect(new Set([idOf('one'), idOf('two'), idOf()]).size).toBe(3)
    expect(idOf('one')).toBe(idOf('one'))
  })

  it('is written to every resource in place of what is there under that name', () => {
    const batch = LogBatch.decode(Buffer.concat([request, makeRequest({ records: 1, service: 'other' })]))

    setResourceAttribute(batch, 'tenant.id', 'acme')
    setResourceAttribute(batch, 'service.name', 'ours')
    setResourceAttribute(batch, 'tenant.id', 'bcme')
    batch.identify(KEY)

    const expected = { 'tenant.id': 'bcme', 'service.name': 'ours' }
    const attributes = (of: LogBatch) => documentsOf(of).map(({ resource }) => resource.attributes)
    expect(attributes(batch)).toEqual(Array(4).fill(expected))
    expect(attributes(LogBatch.open(batch.encode(1e9)[0].bytes))).toEqual(Array(4).fill(expected))
  })

  it('is written where a request says nothing of its resource', () => {
    // ResourceLogs { scope_logs: { log_records: {} } }
    const batch = LogBatch.decode(Buffer.from('0a0412021200', 'hex'))

    setResourceAttribute(batch, 'tenant.id', 'acme')

    expect(documentsOf(batch)[0].resource.attributes).toEqual({ 'tenant.id': 'acme' })
  })
})
