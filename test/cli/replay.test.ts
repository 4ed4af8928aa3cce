import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LogBatch } from '../../src/logs/batch.ts'
import { MAIN } from '../servers/runtime.ts'
import { documentsOf } from '../support/otlp.ts'
import { sluice } from './harness.ts'

const line = (body: string): string =>
  `{"@timestamp":"2026-09-21T14:13:20.000000001Z","attributes":{},"resource":{"attributes":{"service.name":"cart"}},"scope":{"attributes":{}},"body":{"text":"${body}"}}`
const request = (...bodies: string[]): string =>
  JSON.stringify({
    resourceLogs: [{ scopeLogs: [{ logRecords: bodies.map((stringValue) => ({ body: { stringValue } })) }] }],
  })

/** A collector that keeps what it gets and answers as the test wants. */
class Collector implements AsyncDisposable {
  readonly bodies: unknown[][] = []
  readonly bytes: Buffer[] = []
  readonly headers: IncomingHttpHeaders[] = []
  /** Answers to come before all others, which are 200. */
  answers: ((response: ServerResponse) => void)[] = []
  readonly #server = createServer((incoming, response) => void this.#answer(incoming, response))

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    this.headers.push({ ...incoming.headers, path: incoming.url })
    const answer = this.answers.shift()
    if (answer) {
      answer(response)
      return
    }
    const bytes = gunzipSync(Buffer.concat(chunks))
    this.bytes.push(bytes)
    this.bodies.push(documentsOf(LogBatch.decode(bytes)).map(({ body }) => body?.text))
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

describe('sluice replay', () => {
  let folder: string
  let collector: Collector
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-replay-'))
    collector = new Collector()
    await collector.listen()
  })
  afterEach(async () => {
    rmSync(folder, { recursive: true })
    await collector[Symbol.asyncDispose]()
  })

  const file = (name: string, content: string | Buffer): string => {
    const path = join(folder, name)
    writeFileSync(path, content)
    return path
  }
  const replay = (...args: string[]) => sluice(['replay', '--endpoint', collector.url, ...args])

  it('sends the lines of files in order, documents and requests, plain, gzip and zstd', async () => {
    const files = [
      file('a.ndjson', `${line('a1')}\n${line('a2')}\n`),
      file('b.gz', gzipSync(`${request('b1', 'b2')}\n`)),
      file('c.zst', zstdCompressSync(`${line('c1')}\n\n${request('c2')}`)),
      file('empty.ndjson', ''),
    ]

    const { code, stdout, stderr } = await replay(...files)

    expect(stderr).toBe('')
    expect(stdout).toMatch(
      new RegExp(`^replayed 6 records of 4 files to ${collector.url}/v1/logs in 3 requests, \\d+s\n$`),
    )
    expect(code).toBe(0)
    expect(collector.bodies).toEqual([
      ['a1', 'a2'],
      ['b1', 'b2'],
      ['c1', 'c2'],
    ])
  })

  it('makes the same requests each time, whatever the file is compressed with or stands beside', async () => {
    const content = Array.from({ length: 25 }, (_, i) => `${line(`${i}`)}\n`).join('')
    const plain = file('a.ndjson', content)
    const packed = file('a.ndjson.gz', gzipSync(content))

    await replay(plain, '--batch-size', '10')
    await replay(file('other.ndjson', `${line('x')}\n`), packed, '--batch-size', '10')

    expect(collector.bodies.map(({ length }) => length)).toEqual([10, 10, 5, 1, 10, 10, 5])
    expect(collector.bytes.slice(4)).toEqual(collector.bytes.slice(0, 3))
  })

  it('tells bad lines by file and number, sends the others, and exits with 1', async () => {
    const path = file('a.ndjson', `${line('a')}\nnonsense\n${line('b')}\n{"@timestamp":"2026-09-21T1`)

    const { code, stdout, stderr } = await replay(path)

    expect(stderr.split('\n')).toEqual([
      `${path}:2: expected an object`,
      `${path}:4: @timestamp: not valid JSON: the text ends too early`,
      '',
    ])
    expect(stdout).toMatch(/^replayed 2 records of 1 files .*; 2 bad lines\n$/)
    expect(code).toBe(1)
    expect(collector.bodies).toEqual([['a', 'b']])
  })

  it('sends what can be read of a file that was cut off, and says so', async () => {
    const whole = gzipSync(
      `${Array.from({ length: 5000 }, (_, i) => line(`${i}-${Math.sin(i)}`)).join('\n')}\n`,
    )
    const cut = file('cut.gz', whole.subarray(0, whole.length / 2))
    const next = file('next.ndjson', line('next'))

    const { code, stdout, stderr } = await replay(cut, next)

    expect(stderr).toMatch(new RegExp(`^${cut}:\\d+: unreadable from here on \\(Z_BUF_ERROR\\)$`, 'm'))
    expect(stdout).toMatch(/; 1 files not read to their end\n$/)
    expect(code).toBe(1)
    const bodies = collector.bodies.flat()
    expect(bodies.length).toBeGreaterThan(1000)
    expect(bodies.at(-1)).toBe('next')
  })

  it('waits as long as the collector asks for, and sends the same again', async () => {
    const path = file('a.ndjson', line('a'))
    collector.answers = [
      (response) => response.writeHead(429, { 'retry-after': '0' }).end(),
      (response) => response.writeHead(503, { 'retry-after': '1' }).end(),
      (response) => response.destroy(),
    ]

    const { code, stderr } = await replay(path)

    expect(stderr).toContain(`${collector.url}/v1/logs answered 429; trying again in 0s\n`)
    expect(stderr).toContain(`${collector.url}/v1/logs answered 503; trying again in 1s\n`)
    expect(stderr).toContain(`${collector.url} cannot be reached (UND_ERR_SOCKET); trying again in`)
    expect(code).toBe(0)
    expect(collector.bodies).toEqual([['a']])
  })

  it('gives up when the collector takes nothing for long enough, and says where', async () => {
    const path = file('a.ndjson', `${line('a')}\n${line('b')}\n`)
    collector.answers = Array.from({ length: 50 }, () => (response: ServerResponse) => {
      if (collector.headers.length === 1) response.writeHead(200).end()
      else response.writeHead(503).end()
    })

    const { code, stderr } = await replay(path, '--batch-size', '1', '--give-up-after', '1s')

    expect(stderr).toContain(
      `${path}:2-2: ${collector.url}/v1/logs answered 503, and nothing was taken for 1s`,
    )
    expect(stderr).toContain('stopped after 1 records')
    expect(code).toBe(1)
  })

  it('goes on after a request that is refused, and counts what is rejected', async () => {
    const path = file('a.ndjson', `${['a', 'b', 'c', 'd'].map(line).join('\n')}\n`)
    const partial = Buffer.from('0a0b0801120774 6f6f206f6c64'.replaceAll(' ', ''), 'hex')
    collector.answers = [
      (response) => response.writeHead(413).end('too large\u001b[31m'),
      (response) => response.writeHead(200).end(partial),
    ]

    const { code, stdout, stderr } = await replay(path, '--batch-size', '1')

    expect(stderr.split('\n')).toEqual([
      `${path}:1-1: ${collector.url}/v1/logs answered 413: too large [31m`,
      `${path}:2-2: 1 of 1 records were rejected: too old`,
      '',
    ])
    expect(stdout).toMatch(/^replayed 2 records .*; 2 records refused\n$/)
    expect(code).toBe(1)
    expect(collector.bodies).toEqual([['c'], ['d']])
  })

  it('stops where it is no use to go on', async () => {
    const path = file('a.ndjson', line('a'))
    collector.answers = [(response) => response.writeHead(401).end('who are you')]

    const { code, stderr } = await replay(path)

    expect(stderr).toContain(`${path}:1-1: ${collector.url}/v1/logs answered 401: who are you`)
    expect(code).toBe(1)
  })

  it('sends headers of the command line and the environment, to the endpoint of the environment', async () => {
    const path = file('a.ndjson', line('a'))
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/otlp/`,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20secret,x-tenant=acme',
    }

    const { code } = await sluice(['replay', path, '--header', 'x-tenant=shop'], { env })

    expect(code).toBe(0)
    expect(collector.headers).toMatchObject([
      { path: '/otlp/v1/logs', authorization: 'Bearer secret', 'x-tenant': 'shop' },
    ])
  })

  it('ends with what was in the file, though the collector writes what it gets to the same one', async () => {
    const path = file('a.ndjson', `${line('a')}\n${line('b')}\n`)
    collector.answers = [
      (response) => {
        writeFileSync(path, `${line('a')}\n`, { flag: 'a' })
        response.writeHead(200).end()
      },
    ]

    const { stdout } = await replay(path, '--batch-size', '1')

    expect(stdout).toMatch(/^replayed 2 records/)
  })

  it('sends nothing on a dry run, and finds the bad lines', async () => {
    const path = file('a.ndjson', `${line('a')}\nnonsense\n`)

    const { code, stdout } = await replay(path, '--dry-run')

    expect(stdout).toBe('read 1 records of 1 files; 1 bad lines\n')
    expect(code).toBe(1)
    expect(collector.headers).toEqual([])
  })

  it('leaves out files that the exporter is just compressing', async () => {
    const name = 'cart@20260921T141320.123Z.ndjson'
    const files = [
      file(name, line('a')),
      file(`${name}.gz`, gzipSync(line('a'))),
      file('shop@20260921T141320.123Z.ndjson.gz.tmp', gzipSync(line('b')).subarray(0, 5)),
      file('desk@20260921T141320.123Z.ndjson', line('c')),
    ]

    const { code, stderr } = await replay(...files)

    expect(stderr.split('\n')).toEqual([
      `${files[0]}: left out, its compressed form is given too`,
      `${files[2]}: left out, it is not complete`,
      '',
    ])
    expect(code).toBe(0)
    expect(collector.bodies).toEqual([['a'], ['c']])
  })

  it('gives its summary as JSON', async () => {
    const { stdout } = await replay(file('a.ndjson', `${line('a')}\nx\n`), '--json')

    expect(JSON.parse(stdout)).toEqual({
      files: 1,
      records: 1,
      requests: 1,
      badLines: 1,
      refused: 0,
      unreadableFiles: 0,
    })
  })

  it('reads standard input', async () => {
    const child = spawn(process.execPath, [MAIN, 'replay', '--endpoint', collector.url, '-'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    child.stdin.end(gzipSync(`${line('a')}\n${line('b')}\n`))

    const code = await new Promise((resolve) => child.on('close', resolve))

    expect(code).toBe(0)
    expect(collector.bodies).toEqual([['a', 'b']])
  })

  it.each([
    [['/nowhere/a.ndjson'], '/nowhere/a.ndjson: there is no such file, or it may not be read'],
    [
      ['-', '--endpoint', 'localhost'],
      '--endpoint: "localhost": expected a URL such as http://localhost:4318',
    ],
    [['-', '--batch-size', '0'], '--batch-size: "0": expected a whole number from 1 to 100000'],
    [['-', '--header', 'secret'], '--header: expected name=value'],
    [['-', '--give-up-after', 'soon'], '--give-up-after: expected a duration'],
    [[], "missing required argument 'files'"],
  ])('says what is wrong with %j', async (args, problem) => {
    const { code, stderr } = await sluice(['replay', ...args])

    expect(stderr).toContain(problem)
    expect(code).toBe(2)
  })
})
