import { mkdtempSync, rmSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { disk } from '../../../connectors/disk/index.ts'
import { type Connector, type Lease, RetryableError } from '../../../src/component.ts'
import { LogBatch } from '../../../src/logs/batch.ts'
import { never, type TestContext, testContext } from '../../support/component.ts'
import { documentsOf } from '../../support/otlp.ts'
import { makeRequest } from '../../support/requests.ts'

export const GROUP = 'logs/drain'

/** A folder that goes when the test is over. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-disk-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export interface OpenBuffer extends AsyncDisposable {
  readonly connector: Connector
  readonly context: TestContext
  push(batch: LogBatch): Promise<void>
  /** Pushes a batch of one record for each name, one after the other: an element each. */
  pushNamed(...names: readonly string[]): Promise<void>
  stop(): Promise<void>
}

/** A started connector, with settings as a user would write them. */
export async function openBuffer(
  directory: string,
  settings: Readonly<Record<string, unknown>> = {},
  groups: readonly string[] = [GROUP],
): Promise<OpenBuffer> {
  const context = testContext('disk')
  const config = disk.config.parse({ directory, linger: '0ms', min_free: '0', ...settings })
  const connector = disk.create(config, { ...context, groups })
  await connector.start?.()
  const stop = async (): Promise<void> => connector.stop?.(AbortSignal.timeout(5_000))
  const push = (batch: LogBatch): Promise<void> => connector.push(batch, never)
  return {
    connector,
    context,
    push,
    async pushNamed(...names) {
      for (const name of names) await push(named(name))
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** Takes leases one by one; `abort` waits until the consumer has ended. */
export function consume({ connector }: Pick<OpenBuffer, 'connector'>, group = GROUP) {
  const controller = new AbortController()
  const leases = connector.leases(group, controller.signal)[Symbol.asyncIterator]()
  let pending: Promise<IteratorResult<Lease>> | undefined
  return {
    /** The next lease, or undefined when none comes in time. */
    async tryNext(timeoutMs: number): Promise<Lease | undefined> {
      pending ??= leases.next()
      const result = await Promise.race([pending, sleep(timeoutMs, undefined, { ref: false })])
      if (result === undefined) return undefined
      pending = undefined
      if (result.done) throw new Error('the leases have ended')
      return result.value
    },
    async next(): Promise<Lease> {
      const lease = await this.tryNext(10_000)
      if (lease === undefined) throw new Error('no lease within 10 seconds')
      return lease
    },
    async take(count: number): Promise<Lease[]> {
      const taken: Lease[] = []
      while (taken.length < count) taken.push(await this.next())
      return taken
    },
    async abort(): Promise<void> {
      controller.abort()
      await pending
      await leases.return?.()
    },
  }
}

/** Acknowledges everything the buffer has for the group, and returns the bodies of all records in order. */
export async function drain(buffer: OpenBuffer, group = GROUP): Promise<string[]> {
  const consumer = consume(buffer, group)
  const bodies: string[] = []
  while ((await buffer.context.value('sluice_buffer_records', { group })) > 0) {
    const lease = await consumer.next()
    bodies.push(...bodiesOf(lease.batch))
    await lease.ack()
  }
  await consumer.abort()
  return bodies
}

export const batchOf = (records: number, body?: (i: number) => string): LogBatch =>
  LogBatch.decode(makeRequest(body ? { records, body } : { records }))

export const named = (name: string): LogBatch => batchOf(1, () => name)

export const bodiesOf = (batch: LogBatch): string[] =>
  documentsOf(batch).map(({ body }) => String(body?.text))

export const namesOf = (leases: readonly Lease[]): string[] => leases.flatMap(({ batch }) => bodiesOf(batch))

/** Text that zstd cannot shorten. */
export const noise = (bytes: number): string =>
  Array.from({ length: Math.ceil(bytes / 11) }, () => Math.random().toString(36).slice(2, 13))
    .join('')
    .slice(0, bytes)

export async function segmentsIn(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.endsWith('.seg')).sort()
}

export async function corruptFilesIn(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.endsWith('.corrupt')).sort()
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

/** Waits until `check` holds. */
export async function eventually(check: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const end = Date.now() + timeoutMs
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`not so within ${timeoutMs} ms: ${String(check)}`)
    await sleep(10)
  }
}
