import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { redis } from '../../../connectors/redis/index.ts'
import { type Connector, type Lease, RetryableError } from '../../../src/component.ts'
import { LogBatch } from '../../../src/logs/batch.ts'
import { partOf, recordCount } from '../../../src/logs/data.ts'
import { L } from '../../../src/logs/structure.ts'
import { never, type TestContext, testContext } from '../../support/component.ts'
import { documentsOf } from '../../support/otlp.ts'
import { makeRequest } from '../../support/requests.ts'

export const GROUP = 'logs/drain'

let streams = 0

/** A stream no other test uses. */
export const newStream = (): string => `test-${process.pid}-${streams++}`

export interface OpenBuffer extends AsyncDisposable {
  readonly connector: Connector
  readonly context: TestContext
  readonly stream: string
  push(batch: LogBatch): Promise<void>
  stop(): Promise<void>
}

/** A started connector, with settings as a user would write them; the url may be left out for others. */
export async function openBuffer(
  url: string | undefined,
  settings: Readonly<Record<string, unknown>> = {},
  groups: readonly string[] = [GROUP],
): Promise<OpenBuffer> {
  const stream = (settings.stream as string | undefined) ?? newStream()
  const context = testContext('redis')
  const config = redis.config.parse({ url, stream, ...settings })
  const connector = redis.create(config, { ...context, groups })
  await connector.start?.()
  const stop = async (): Promise<void> => connector.stop?.(AbortSignal.timeout(5_000))
  return {
    connector,
    context,
    stream,
    push: (batch) => connector.push(batch, never),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** Takes leases one by one; `stop` aborts and waits until the consumer has ended. */
export function consume(connector: Connector, group = GROUP) {
  const controller = new AbortController()
  const leases = connector.leases(group, controller.signal)[Symbol.asyncIterator]()
  return {
    async next(timeoutMs = 10_000): Promise<Lease> {
      const late = sleep(timeoutMs, undefined, { ref: false }).then(() => {
        throw new Error(`no lease within ${timeoutMs} ms`)
      })
      const result = await Promise.race([leases.next(), late])
      if (result.done) throw new Error('the leases have ended')
      return result.value
    },
    async abort(): Promise<void> {
      controller.abort()
      await leases.return?.()
    },
  }
}

/** What a consumer does that takes no more than it gets. */
export async function takeOne(connector: Connector, group = GROUP): Promise<LogBatch> {
  const consumer = consume(connector, group)
  const lease = await consumer.next()
  await lease.ack()
  await consumer.abort()
  return lease.batch
}

export const batchOf = (records: number, body?: (i: number) => string): LogBatch =>
  LogBatch.decode(makeRequest(body ? { records, body } : { records }))

export const named = (name: string): LogBatch => batchOf(1, () => name)

/** The name of a batch that `named` made. */
export const nameOf = (batch: LogBatch): unknown => documentsOf(batch)[0].body?.text

/** Id and position of every record: what its document is called. */
export function identities({ data }: LogBatch): string[] {
  return Array.from({ length: recordCount(data) }, (_, record) => {
    const id = Buffer.from(partOf(data, record).id ?? []).toString('hex')
    return `${id}/${data.rows[record * L.STRIDE + L.POSITION]}`
  })
}

/** Waits until `check` holds. */
export async function eventually(check: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const end = Date.now() + timeoutMs
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`not so within ${timeoutMs} ms: ${String(check)}`)
    await sleep(20)
  }
}

/** The refusal a push meets. */
export async function refusal(pushed: Promise<void>): Promise<RetryableError> {
  const error = await pushed.then(
    () => new Error('was accepted'),
    (reason: unknown) => reason,
  )
  if (error instanceof RetryableError) return error
  throw error
}

/** Pushes until it is accepted. */
export async function pushed(push: () => Promise<void>): Promise<void> {
  await eventually(async () => {
    try {
      await push()
      return true
    } catch {
      return false
    }
  }, 15_000)
}

/** Names of a stream's keys, as an operator would look for them. */
export function keyOf(stream: string, rest: string): string {
  return `sluice:{${stream}}:${rest}`
}

export async function statsOf(admin: Redis, stream: string, group = GROUP): Promise<Record<string, number>> {
  const stats = await admin.hgetall(keyOf(stream, `stats:${group}`))
  return Object.fromEntries(Object.entries(stats).map(([key, value]) => [key, Number(value)]))
}
