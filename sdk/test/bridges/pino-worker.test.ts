import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Child } from '../../../test/servers/process.ts'
import { LineSplitter } from '../../src/bridges/pino/split.ts'
import { type Collector, startHttpCollector } from '../pipe/kit/collector.ts'
import { type Delivered, deliveredIn } from '../support/delivered.ts'
import { TRACEPARENT, traceOf } from '../support/traces.ts'

const TARGET = fileURLToPath(new URL('../../src/bridges/pino.ts', import.meta.url))
const APP = fileURLToPath(new URL('fixtures/pino-app.ts', import.meta.url))
const ORDERS = Array.from({ length: 1000 }, (_, i) => `order ${i}`)

describe('the transport in the worker of pino', () => {
  let collector: Collector

  beforeEach(async () => {
    collector = await startHttpCollector()
  })

  afterEach(() => collector[Symbol.asyncDispose]())

  const endpoint = (): string => `http://127.0.0.1:${collector.port}`

  const run = async (way: string): Promise<Delivered[]> => {
    const child = new Child(process.execPath, [APP, way, endpoint()], { env: process.env })
    await child.exited
    return deliveredIn(collector.requests)
  }

  it('delivers level, trace and error, and knows the keys and levels of its logger', async () => {
    const [placed, seen, boom] = await run('describes')

    expect(placed).toMatchObject({ body: 'placed', attributes: { orderId: 7n } })
    expect(traceOf(placed.record)).toBe(TRACEPARENT)
    expect(placed.resource['service.name']).toBe('shop')
    expect(seen.record).toMatchObject({ severityNumber: 11, severityText: 'audit' })
    expect(boom).toMatchObject({ body: 'boom', attributes: { 'exception.type': 'Error' } })
  })

  it('is one target of several', async () => {
    expect((await run('chooses')).map(({ body }) => body)).toEqual(['this one'])
  })

  it('sends what was logged before a flush', async () => {
    const options = { endpoint: endpoint(), batch: { delayMillis: 600_000 } }
    const transport = pino.transport({ target: TARGET, options })
    const log = pino({}, transport)
    await once(transport, 'ready')

    log.info('x')
    await new Promise<unknown>((resolve) => log.flush(resolve))

    expect(deliveredIn(collector.requests).map(({ body }) => body)).toEqual(['x'])
    transport.end()
    await once(transport, 'close')
  })

  it.each(['returns', 'exits', 'throws', 'ends'])(
    'loses nothing when the application %s at once',
    async (way) => {
      expect((await run(way)).map(({ body }) => body)).toEqual(ORDERS)
    },
  )
})

describe('lines in pieces', () => {
  it('are put together, wherever they are cut', () => {
    const text = 'first\r\n\nsecond €\nthird'
    for (let size = 1; size < text.length; size++) {
      const lines: string[] = []
      const splitter = new LineSplitter((line) => lines.push(line))

      for (let at = 0; at < text.length; at += size) splitter.write(text.slice(at, at + size))
      splitter.end()

      expect(lines).toEqual(['first', 'second €', 'third'])
    }
  })

  it('are cut where they are longer than any record', () => {
    const lengths: number[] = []
    const splitter = new LineSplitter((line) => lengths.push(line.length))

    for (let i = 0; i < 40; i++) splitter.write('x'.repeat(1024 * 1024))
    splitter.write('\nshort\n')

    expect(lengths).toEqual([16 * 1024 * 1024, 5])
  })
})
