import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { Redis } from 'ioredis'
import { describe, expect, inject, it } from 'vitest'
import { startRedis } from './redis.ts'

describe('a Redis server', () => {
  it('keeps what it acknowledged through kill -9', async () => {
    await using server = await startRedis({ args: ['--appendfsync', 'always'] })
    const before = await send(server.url, (client) => client.set('key', 'value'))
    const { pid } = server

    await server.kill()
    await server.restart()

    expect(before).toBe('OK')
    expect(server.pid).not.toBe(pid)
    expect(await send(server.url, (client) => client.get('key'))).toBe('value')
  })

  it('refuses writes at its memory limit instead of evicting', async () => {
    await using server = await startRedis({ args: ['--maxmemory', '1'] })

    await expect(send(server.url, (client) => client.set('key', 'value'))).rejects.toThrow('OOM')
  })

  it('answers nothing while it is paused', async () => {
    await using server = await startRedis()
    const client = new Redis(server.url, { commandTimeout: 250 })
    await client.ping()

    server.pause()
    await expect(client.ping()).rejects.toThrow('Command timed out')
    server.resume()

    expect(await client.ping()).toBe('PONG')
    client.disconnect()
  })

  it('leaves nothing behind when it stops, even while it is paused', async () => {
    const server = await startRedis()

    server.pause()
    await server.stop()

    expect(existsSync(server.dir)).toBe(false)
    expect(() => process.kill(server.pid, 0)).toThrow('ESRCH')
  })

  it('says what it lacks when it cannot start', async () => {
    await using server = await startRedis()

    await expect(startRedis({ port: server.port })).rejects.toThrow('Address already in use')
  })
})

describe('the shared Elasticsearch', () => {
  it('creates a document of a data stream once', async () => {
    const name = `logs-${randomUUID()}`
    await put(`/_index_template/${name}`, { index_patterns: [name], data_stream: {}, priority: 500 })
    const action = { create: { _id: 'one' } }
    const lines = [action, { '@timestamp': '2026-01-01T00:00:00Z', message: 'hello' }]

    const answers = [await bulk(name, lines), await bulk(name, lines)]

    expect(answers.map((answer) => answer.items[0].create.status)).toEqual([201, 409])
  })
})

interface BulkAnswer {
  readonly items: readonly { readonly create: { readonly status: number } }[]
}

async function send<T>(url: string, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url)
  try {
    return await use(client)
  } finally {
    client.disconnect()
  }
}

async function put(path: string, body: unknown): Promise<void> {
  await elasticsearch(path, { method: 'PUT', body: JSON.stringify(body) })
}

async function bulk(stream: string, lines: readonly unknown[]): Promise<BulkAnswer> {
  const body = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
  return (await elasticsearch(`/${stream}/_bulk`, { method: 'POST', body })) as BulkAnswer
}

async function elasticsearch(path: string, request: RequestInit): Promise<unknown> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(inject('elasticsearchUrl') + path, { ...request, headers })
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
  return response.json()
}
