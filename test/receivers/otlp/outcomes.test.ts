import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { PermanentError, type Push, RetryableError } from '../../../src/component.ts'
import { makeRequest } from '../../support/requests.ts'
import { fieldsOf, gate, IMPLEMENTATIONS, retryDelayOf, serveBy, statusOf } from './harness.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const ONE_RECORD = '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"}}]}]}]}'

function failing(error: unknown): Push {
  return async () => {
    throw error
  }
}

describe.each(IMPLEMENTATIONS)('with gRPC by %s', (implementation) => {
  const serve = serveBy(implementation)

  describe('success', () => {
    it.each(['grpc', 'post'] as const)('is answered only after the push has settled (%s)', async (way) => {
      const buffered = gate()
      const pushed = gate()
      const harness = await serve(async () => {
        pushed.open()
        await buffered.opened
      })
      let answered = false
      const answer = harness[way](makeRequest({ records: 3 })).finally(() => {
        answered = true
      })
      await pushed.opened
      for (let turn = 0; turn < 20; turn++) await setImmediate()
      expect(answered).toBe(false)

      buffered.open()

      expect(await answer).toMatchObject(way === 'grpc' ? { code: 0 } : { status: 200 })
      expect(harness.batches[0].size).toBe(3)
    })

    it('is an empty message, in the encoding of the request', async () => {
      const harness = await serve()
      expect((await harness.grpc(makeRequest({ records: 1 }))).body).toHaveLength(0)

      const protobuf = await harness.post(makeRequest({ records: 1 }))
      expect([protobuf.status, protobuf.headers.get('content-type'), protobuf.body.length]).toEqual([
        200,
        'application/x-protobuf',
        0,
      ])

      const json = await harness.post(ONE_RECORD, JSON_TYPE)
      expect([json.status, json.headers.get('content-type'), json.body.toString()]).toEqual([
        200,
        'application/json',
        '{}',
      ])
    })

    it('is answered without a push where the request holds no records', async () => {
      const harness = await serve()
      expect((await harness.grpc(Buffer.alloc(0))).code).toBe(0)
      expect((await harness.post(makeRequest({ records: 0 }))).status).toBe(200)
      expect((await harness.post('{}', JSON_TYPE)).status).toBe(200)
      expect(harness.batches).toEqual([])
    })

    it('is partial where the destination refused some records for good', async () => {
      const harness = await serve(
        failing(
          new PermanentError('mapping conflict', { rejected: [{ records: [0, 2], reason: 'mapping' }] }),
        ),
      )
      for (const body of [
        (await harness.grpc(makeRequest({ records: 3 }))).body,
        (await harness.post(makeRequest({ records: 3 }))).body,
      ]) {
        const partial = fieldsOf(fieldsOf(body).get(1)?.[0] as Buffer)
        expect([partial.get(1)?.[0], String(partial.get(2)?.[0])]).toEqual([
          2,
          'mapping conflict; 2 records: mapping',
        ])
      }
      expect(await harness.context.value('otelcol_receiver_accepted_log_records')).toBe(2)
      expect(await harness.context.value('otelcol_receiver_failed_log_records')).toBe(4)
    })
  })

  describe('a retryable error', () => {
    it('is UNAVAILABLE with RetryInfo on gRPC', async () => {
      const harness = await serve(failing(new RetryableError('redis is full', { retryAfter: 2500 })))
      const { code, message, details } = await harness.grpc(makeRequest({ records: 1 }))
      expect([code, message]).toEqual([14, 'redis is full'])
      const status = statusOf(details as Buffer)
      expect([status.code, status.message]).toEqual([14, 'redis is full'])
      expect(retryDelayOf(status.details.get('RetryInfo') as Buffer)).toBe(2500)
    })

    it('is 503 with Retry-After in whole seconds, rounded up, on HTTP', async () => {
      const harness = await serve(failing(new RetryableError('redis is full', { retryAfter: 2500 })))
      const protobuf = await harness.post(makeRequest({ records: 1 }))
      expect([protobuf.status, protobuf.headers.get('retry-after')]).toEqual([503, '3'])
      expect(retryDelayOf(statusOf(protobuf.body).details.get('RetryInfo') as Buffer)).toBe(2500)

      const json = await harness.post(ONE_RECORD, JSON_TYPE)
      expect([json.status, json.headers.get('retry-after')]).toEqual([503, '3'])
      expect(JSON.parse(json.body.toString())).toEqual({
        code: 14,
        message: 'redis is full',
        details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '2.500s' }],
      })
    })

    it('asks for one second where it names no time', async () => {
      const harness = await serve(failing(new RetryableError('redis is down')))
      expect((await harness.post(makeRequest({ records: 1 }))).headers.get('retry-after')).toBe('1')
      const { details } = await harness.grpc(makeRequest({ records: 1 }))
      expect(retryDelayOf(statusOf(details as Buffer).details.get('RetryInfo') as Buffer)).toBe(1000)
    })

    it('counts its records as refused, and its reason', async () => {
      const { grpc, post, context } = await serve(failing(new RetryableError('full', { reason: 'full' })))
      await grpc(makeRequest({ records: 5 }))
      await post(makeRequest({ records: 7 }))
      expect(await context.value('otelcol_receiver_refused_log_records', { transport: 'grpc' })).toBe(5)
      expect(await context.value('otelcol_receiver_refused_log_records', { transport: 'http' })).toBe(7)
      expect(await context.value('otelcol_receiver_requests', { outcome: 'refused' })).toBe(2)
      expect(await context.value('sluice_receiver_rejected_requests_total', { reason: 'full' })).toBe(2)
      expect(await context.value('otelcol_receiver_accepted_log_records')).toBe(0)
    })
  })

  describe('a permanent error', () => {
    it('is INVALID_ARGUMENT without RetryInfo on gRPC, 400 without Retry-After on HTTP', async () => {
      const harness = await serve(failing(new PermanentError('no such tenant')))
      const { code, message, details } = await harness.grpc(makeRequest({ records: 2 }))
      expect([code, message]).toEqual([3, 'no such tenant'])
      expect([...statusOf(details as Buffer).details.keys()]).toEqual(['BadRequest'])

      const answer = await harness.post(makeRequest({ records: 2 }))
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([400, null])
      expect(statusOf(answer.body)).toMatchObject({ code: 3, message: 'no such tenant' })
      expect(await harness.context.value('otelcol_receiver_failed_log_records')).toBe(4)
      expect(await harness.context.value('otelcol_receiver_requests', { outcome: 'failure' })).toBe(2)
      expect(
        await harness.context.value('sluice_receiver_rejected_requests_total', { reason: 'permanent' }),
      ).toBe(2)
    })

    it('is the same where every record is named as refused', async () => {
      const rejected = [{ records: [0, 1], reason: 'mapping' }]
      const { post } = await serve(failing(new PermanentError('mapping conflict', { rejected })))
      expect((await post(makeRequest({ records: 2 }))).status).toBe(400)
    })

    it('has a message that any header takes', async () => {
      const harness = await serve(
        failing(new PermanentError(`${'\ud800 中\n'.repeat(3)}${'x'.repeat(100_000)}`)),
      )
      const { code, message } = await harness.grpc(makeRequest({ records: 1 }))
      expect(code).toBe(3)
      expect(message).toMatch(/^\ufffd 中\n/)
      expect(message).toHaveLength(1000)
    })
  })

  describe('an error that nobody planned', () => {
    it('is retryable, because a bug must not lose data, and is logged without being told', async () => {
      const harness = await serve(failing(new TypeError('secret is undefined')))
      expect(await harness.grpc(makeRequest({ records: 1 }))).toMatchObject({
        code: 14,
        message: 'the collector failed unexpectedly; its log says why',
      })
      const answer = await harness.post(makeRequest({ records: 1 }))
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
      const logged = harness.log.filter(({ msg }) => msg === 'request failed unexpectedly')
      expect(logged).toHaveLength(1)
      expect(logged[0]).toMatchObject({ level: 50, err: { message: 'secret is undefined' } })
      expect(
        await harness.context.value('sluice_receiver_rejected_requests_total', { reason: 'internal' }),
      ).toBe(2)
    })

    it('is handled the same where the push throws at once', async () => {
      const { post } = await serve(() => {
        throw new Error('not even a promise')
      })
      expect((await post(makeRequest({ records: 1 }))).status).toBe(503)
    })
  })

  describe('counting', () => {
    it('counts the records of each transport once, those dropped on the way too', async () => {
      const { grpc, post, context } = await serve(async (batch) => {
        batch.forEach((record) => record.drop('test'))
      })
      await grpc(makeRequest({ records: 5 }))
      await post(makeRequest({ records: 7 }))
      expect(await context.value('otelcol_receiver_accepted_log_records', { transport: 'grpc' })).toBe(5)
      expect(await context.value('otelcol_receiver_accepted_log_records', { transport: 'http' })).toBe(7)
      expect(await context.value('otelcol_receiver_requests', { outcome: 'success' })).toBe(2)
      expect(await context.value('sluice_receiver_rejected_requests_total')).toBe(0)
    })
  })
})
