import { status } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { freePort } from '../../../test/servers/ports.ts'
import type { Answer } from '../../src/transport/answer.ts'
import { createTransport } from '../../src/transport/create.ts'
import type { Destination } from '../../src/transport/destination.ts'
import { type Collector, startGrpcCollector } from '../pipe/kit/collector.ts'
import { destination } from '../pipe/kit/options.ts'
import { requestOf } from '../pipe/kit/records.ts'

const REQUEST = requestOf(1, 2, 3)
const RETRYABLE = [
  'CANCELLED',
  'DEADLINE_EXCEEDED',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNAVAILABLE',
  'DATA_LOSS',
] as const
const FINAL = [
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'FAILED_PRECONDITION',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAUTHENTICATED',
  'RESOURCE_EXHAUSTED',
] as const
const silent = { warn() {} }
const grpc = (url: string, more: Partial<Destination> = {}) => destination(url, { protocol: 'grpc', ...more })

describe('the gRPC transport', () => {
  let collector: Collector

  beforeEach(async () => {
    collector = await startGrpcCollector()
  })

  afterEach(() => collector[Symbol.asyncDispose]())

  const send = async (more: Partial<Destination> = {}, url = collector.url): Promise<Answer> => {
    const transport = createTransport(grpc(url, more), silent)
    try {
      return await transport.send(REQUEST)
    } finally {
      transport.close()
    }
  }

  it.each(['none', 'gzip'] as const)(
    'calls Export with the bytes as they are, compression %s',
    async (compression) => {
      expect(await send({ compression, headers: { 'X-Tenant': 'blue' } })).toEqual({
        kind: 'taken',
        rejected: 0,
        message: '',
      })

      expect(collector.requests).toEqual([REQUEST])
      expect(collector.headers[0]).toMatchObject({
        'x-tenant': 'blue',
        'user-agent': expect.stringMatching(/^Sluice-Logs-JavaScript\//),
      })
    },
  )

  it('leaves out metadata that gRPC does not allow, and does not tell its value', async () => {
    const lines: string[] = []
    const diagnostics = { warn: (_kind: string, line: string) => lines.push(line) }
    const transport = createTransport(
      grpc(collector.url, { headers: { good: 'yes', bad: 'secret\n' } }),
      diagnostics,
    )

    expect(await transport.send(REQUEST)).toMatchObject({ kind: 'taken' })
    transport.close()

    expect(collector.headers[0]).toMatchObject({ good: 'yes' })
    expect(lines).toEqual(['the header "bad" is not valid in gRPC and is left out'])
  })

  it.each(RETRYABLE)('may send again after %s', async (name) => {
    collector.answer({ code: status[name], message: 'come back' })

    expect(await send()).toEqual({
      kind: 'retryable',
      reason: name,
      message: `${name}: come back`,
      waitMillis: undefined,
    })
  })

  it.each(FINAL)('does not send again after %s', async (name) => {
    collector.answer({ code: status[name], message: 'no' })

    expect(await send()).toEqual({ kind: 'refused', reason: name, message: `${name}: no` })
  })

  it.each(['RESOURCE_EXHAUSTED', 'UNAVAILABLE'] as const)('honours RetryInfo of %s', async (name) => {
    collector.answer({ code: status[name], retryMs: 1250 })

    expect(await send()).toMatchObject({ kind: 'retryable', reason: name, waitMillis: 1250 })
  })

  it('does not send again what is refused for good, whatever RetryInfo says', async () => {
    collector.answer({ code: status.INVALID_ARGUMENT, retryMs: 1250 })

    expect(await send()).toMatchObject({ kind: 'refused' })
  })

  it('tells of partial success', async () => {
    collector.answer({ rejected: 2, message: 'too old' })

    expect(await send()).toEqual({ kind: 'taken', rejected: 2, message: 'too old' })
  })

  it('may send again when nobody listens', async () => {
    const url = `http://127.0.0.1:${await freePort()}`

    expect(await send({}, url)).toMatchObject({ kind: 'retryable', reason: 'UNAVAILABLE' })
  })

  it('makes a new connection when no answer came in time', async () => {
    collector.answer({ silent: true }, {})
    const transport = createTransport(grpc(collector.url, { timeoutMillis: 300 }), silent)

    expect(await transport.send(REQUEST)).toMatchObject({ kind: 'retryable', reason: 'DEADLINE_EXCEEDED' })
    expect(await transport.send(REQUEST)).toMatchObject({ kind: 'taken' })
    transport.close()
  })

  it('finds a collector that comes back', async () => {
    const port = await freePort()
    const transport = createTransport(grpc(`http://127.0.0.1:${port}`), silent)
    expect(await transport.send(REQUEST)).toMatchObject({ kind: 'retryable' })

    await using late = await startGrpcCollector({ port })
    let answer = await transport.send(REQUEST)
    for (let tries = 0; answer.kind !== 'taken' && tries < 100; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 50))
      answer = await transport.send(REQUEST)
    }
    transport.close()

    expect(late.requests).toEqual([REQUEST])
  })

  it('ends what is under way when it is closed', async () => {
    collector.answer({ silent: true })
    const transport = createTransport(grpc(collector.url), silent)
    const answer = transport.send(REQUEST)
    await collector.received(1)

    transport.close()

    expect(await answer).toMatchObject({ kind: 'retryable', reason: 'CANCELLED' })
    expect(await transport.send(REQUEST)).toMatchObject({ kind: 'retryable', reason: 'closed' })
  })
})
