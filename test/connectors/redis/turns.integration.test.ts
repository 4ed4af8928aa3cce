import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LogBatch } from '../../../src/logs/batch.ts'
import { type RedisServer, startRedis } from '../../servers/redis.ts'
import { makeRequest } from '../../support/requests.ts'
import { consume, eventually, nameOf, newStream, type OpenBuffer, openBuffer } from './harness.ts'

let server: RedisServer

beforeAll(async () => {
  server = await startRedis()
})
afterAll(async () => {
  await server.stop()
})

const open = (settings: object): Promise<OpenBuffer> =>
  openBuffer(server.url, {
    stream: '{service.name}',
    key_prefix: newStream(),
    compression: 'none',
    linger: '0ms',
    ...settings,
  })

/** Pushes elements of about so many bytes, each of its own, into the stream of a service. */
async function fill(buffer: OpenBuffer, service: string, elements: number, bytes: number): Promise<void> {
  for (let i = 0; i < elements; i++) {
    const body = (): string => service.padEnd(bytes, '.')
    await buffer.push(LogBatch.decode(makeRequest({ records: 1, service, body })))
  }
}

/** What a drain gets that knows of both streams: the service of each element. */
async function handedOut(buffer: OpenBuffer, elements: number): Promise<string[]> {
  await eventually(async () => (await buffer.context.value('sluice_buffer_streams')) === 2)
  const consumer = consume(buffer.connector)
  const services: string[] = []
  while (services.length < elements) {
    const lease = await consumer.next()
    services.push(String(nameOf(lease.batch)).replaceAll('.', ''))
    await lease.ack()
  }
  await consumer.abort()
  return services
}

const count = (services: readonly string[], service: string): number =>
  services.filter((each) => each === service).length

describe('a drain of several streams', () => {
  it('takes from a small one in time, however much another holds', async () => {
    await using buffer = await open({})
    await fill(buffer, 'noisy', 300, 10_000)
    await fill(buffer, 'small', 10, 10_000)

    const services = await handedOut(buffer, 310)

    expect(count(services, 'noisy')).toBe(300)
    expect(services.lastIndexOf('small')).toBeLessThan(75)
  })

  it('gives each the same share of bytes, not of elements', async () => {
    await using buffer = await open({})
    await fill(buffer, 'large', 60, 50_000)
    await fill(buffer, 'tiny', 600, 2_000)

    const services = await handedOut(buffer, 400)

    const ratio = (count(services, 'large') * 50_000) / (count(services, 'tiny') * 2_000)
    expect(ratio).toBeGreaterThan(0.6)
    expect(ratio).toBeLessThan(1.8)
  })

  it('gives each its weight', async () => {
    await using buffer = await open({ weights: { 'aud*': 4, '*': 0.5 } })
    await fill(buffer, 'audit', 500, 10_000)
    await fill(buffer, 'noisy', 300, 10_000)

    const services = await handedOut(buffer, 3 * (104 + 13))

    const ratio = count(services, 'audit') / count(services, 'noisy')
    expect(ratio).toBeGreaterThan(6)
    expect(ratio).toBeLessThan(10)
  })

  it('lends a suspect of one stream only when nothing of any is on loan', async () => {
    await using buffer = await open({})
    await fill(buffer, 'bad', 1, 100)
    const consumer = consume(buffer.connector)
    for (let i = 0; i < 2; i++) await (await consumer.next()).release(0)
    await fill(buffer, 'good', 2, 100)
    const suspect = await consumer.next()
    expect(String(nameOf(suspect.batch))).toMatch(/^bad/)
    const next = consumer.next()
    const early = await Promise.race([next, new Promise((resolve) => setTimeout(resolve, 1_500, 'nothing'))])
    expect(early).toBe('nothing')

    await suspect.ack()

    const rest = [await next, await consumer.next()]

    expect(rest.map((lease) => String(nameOf(lease.batch)).slice(0, 4))).toEqual(['good', 'good'])
    for (const lease of rest) await lease.ack()
    await consumer.abort()
  })
})
