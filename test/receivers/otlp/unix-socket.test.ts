import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, credentials } from '@grpc/grpc-js'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { never } from '../../support/component.ts'
import { makeRequest } from '../../support/requests.ts'
import { create, EXPORT, IMPLEMENTATIONS, PROTOBUF, serve } from './harness.ts'

let path: string

beforeEach(() => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-'))
  path = join(directory, 'otlp.sock')
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
})

async function post(): Promise<number | undefined> {
  const headers = { 'content-type': PROTOBUF }
  const request = httpRequest({ socketPath: path, method: 'POST', path: '/v1/logs', headers })
  request.end(makeRequest({ records: 1 }))
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  response.resume()
  return response.statusCode
}

function exportTo(target: string): Promise<number> {
  const client = new Client(target, credentials.createInsecure())
  const asItIs = (bytes: Buffer): Buffer => bytes
  return new Promise((resolve) => {
    client.makeUnaryRequest(EXPORT, asItIs, asItIs, makeRequest({ records: 1 }), (error) => {
      client.close()
      resolve(error?.code ?? 0)
    })
  })
}

/** Leaves a socket behind that nobody listens at. */
async function leaveStaleSocket(): Promise<void> {
  const script = `require('net').createServer().listen(process.argv[1], () => console.log('listening'))`
  const child = spawn(process.execPath, ['-e', script, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
}

describe('a Unix socket', () => {
  it.each([
    ['unix:///path', () => ({ endpoint: `unix://${path}` })],
    ['a path', () => ({ endpoint: path })],
    ['a path with transport: unix', () => ({ endpoint: path, transport: 'unix' })],
  ])('takes OTLP/HTTP, is logged, and is gone when the receiver has stopped: %s', async (_, settings) => {
    const { receiver, batches, log } = await serve(undefined, { http: settings() })
    expect(await post()).toBe(200)
    expect(batches).toHaveLength(1)
    expect(log[0]).toMatchObject({ protocol: 'http', address: `unix://${path}` })

    await receiver.stop(never)

    expect(existsSync(path)).toBe(false)
  })

  it.each(IMPLEMENTATIONS)('takes OTLP/gRPC by %s', async (implementation) => {
    const { receiver, batches } = await serve(undefined, {
      grpc: { endpoint: `unix://${path}`, implementation },
    })
    expect(await exportTo(`unix://${path}`)).toBe(0)
    expect(batches).toHaveLength(1)
    await receiver.stop(never)
    expect(existsSync(path)).toBe(false)
  })

  it('that a killed process left behind is replaced', async () => {
    await leaveStaleSocket()
    expect(existsSync(path)).toBe(true)
    await serve(undefined, { http: { endpoint: `unix://${path}` } })
    expect(await post()).toBe(200)
  })

  it('that another process listens at is left alone', async () => {
    const other = createServer().listen(path)
    await once(other, 'listening')
    const { receiver } = create(undefined, { http: { endpoint: `unix://${path}` } })
    await expect(receiver.start()).rejects.toThrow(
      `OTLP/HTTP cannot listen on unix://${path}: another process listens there`,
    )
    expect(other.listening && existsSync(path)).toBe(true)
    other.close()
  })

  it('does not take the place of a file', async () => {
    writeFileSync(path, 'precious')
    const { receiver } = create(undefined, { http: { endpoint: path } })
    await expect(receiver.start()).rejects.toThrow(
      `OTLP/HTTP cannot listen on unix://${path}: what is there is no socket; choose another path`,
    )
    expect(existsSync(path)).toBe(true)
  })

  it('in a folder that is not there is named', async () => {
    const { receiver } = create(undefined, { http: { endpoint: `${path}/sock` } })
    await expect(receiver.start()).rejects.toThrow(
      `OTLP/HTTP cannot listen on unix://${path}/sock: choose another endpoint (`,
    )
  })
})
