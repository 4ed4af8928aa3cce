import { create } from '@bufbuild/protobuf'
import { describe, expect, it } from 'vitest'
import { decodeRequest, RequestSchema } from '../../../oracle/oracle.ts'
import { type Harness, serve } from '../harness.ts'
import { type Case, type Exchange, isGrpc, type Told, type Way } from './case.ts'
import { type Answer, ONE_RECORD, send } from './client.ts'
import { groups } from './groups.ts'

describe.each(groups.map(({ title, cases }) => [title, cases] as const))('%s', (_, cases) => {
  const runs = cases.flatMap((one) => one.over.map((way) => [`${one.name} (${way})`, one, way] as const))

  // Not `$name`, which would be cut.
  it.each(runs)('%s', async (_name, one, way) => {
    const harness = await start(one, way)
    if ('check' in one) await one.check(harness, way)
    else await exchange(harness, way, one)
  })
})

it('has no two cases of the same name', () => {
  const names = groups.flatMap(({ title, cases }) => cases.map(({ name }) => `${title}: ${name}`))
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([])
})

async function start(one: Case, way: Way): Promise<Harness> {
  const push = 'push' in one ? one.push : undefined
  const grpc = {
    endpoint: '127.0.0.1:0',
    ...(isGrpc(way) && way !== 'gRPC' && { implementation: way }),
    ...one.settings?.grpc,
  }
  const http = { endpoint: '127.0.0.1:0', ...one.settings?.http }
  return await serve(push, { grpc, http }, {}, one.receiver)
}

async function exchange(
  harness: Harness,
  way: Way,
  { push, send: sent, answer: expected, pushed }: Exchange,
): Promise<void> {
  const answer = await send(harness, way, sent)

  if ('failure' in expected) expectFailure(answer, way, expected.failure)
  else {
    expect(answer).toMatchObject({ http: 200, failure: undefined })
    expect(answer.partial).toEqual('rejected' in expected ? expected : undefined)
    if ('ok' in expected) expect(answer.headers).toMatchObject(expected.headers ?? {})
  }
  const came = harness.batches.map(({ data }) => decodeRequest(data.bytes))
  const usual = 'failure' in expected && push === undefined ? [] : [sent?.request ?? ONE_RECORD]
  expect(came).toEqual((pushed ?? usual).map((request) => create(RequestSchema, request)))
}

function expectFailure({ http, headers, failure }: Answer, way: Way, told: Told): void {
  expect(failure?.code).toBe(told.code)
  expect(http).toBe(isGrpc(way) ? (told.httpOfGrpc ?? 200) : told.http)
  if (told.message !== undefined && !failure?.theLibrarys) expect(failure?.message).toMatch(told.message)
  expect(failure?.retryMs).toBe(told.retryMs)
  if (!isGrpc(way)) expect(headers['retry-after']).toBe(told.retryAfter)
  expect(headers).toMatchObject(told.headers ?? {})
  if (told.badRequest !== undefined) expect(failure?.badRequest !== undefined).toBe(told.badRequest)
}
