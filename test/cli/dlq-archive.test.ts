import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { components } from '../../src/components.ts'
import type { LogBatch } from '../../src/logs/batch.ts'
import { drain, GROUP, newFolder, openBuffer } from '../connectors/disk/harness.ts'
import { attributes, batchOf, text } from '../support/otlp.ts'
import { configFile, type Outcome, sluice } from './harness.ts'

interface Stored {
  readonly _index: string
  readonly _id: string
  readonly _source: { readonly otlp?: string; readonly target?: object; readonly '@timestamp': string }
}

/** A search that pages through what there was at its start, and deletions, as Elasticsearch does both. */
class Archive implements AsyncDisposable {
  url = ''
  letters: Stored[] = []
  readonly seen: { readonly method: string; readonly path: string; readonly body: string }[] = []
  /** The status of deletions, where they fail. */
  deletion = 200
  refresh = 200
  readonly #scrolls = new Map<string, Stored[]>()
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { pathname } = new URL(request.url ?? '', 'http://archive')
      const call = { method: request.method ?? '', path: pathname, body: Buffer.concat(chunks).toString() }
      this.seen.push(call)
      const [status, answer] = this.#answer(call)
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    })
  })

  static async start(): Promise<Archive> {
    const archive = new Archive()
    archive.#server.listen(0, '127.0.0.1')
    await once(archive.#server, 'listening')
    archive.url = `http://127.0.0.1:${(archive.#server.address() as AddressInfo).port}`
    return archive
  }

  #answer({ method, path, body }: (typeof this.seen)[number]): [number, object] {
    if (path.endsWith('/_refresh')) return [this.refresh, {}]
    if (path === '/_bulk')
      return [
        200,
        {
          items: body
            .trimEnd()
            .split('\n')
            .map((line) => this.#delete(line)),
        },
      ]
    if (path === '/_search/scroll' && method === 'DELETE') return [200, {}]
    const { scroll_id = 'scroll' } = JSON.parse(body) as { scroll_id?: string }
    if (!path.endsWith('/scroll')) this.#scrolls.set('scroll', [...this.letters])
    return [200, { _scroll_id: 'scroll', hits: { hits: this.#scrolls.get(scroll_id)?.splice(0, 2) ?? [] } }]
  }

  #delete(line: string): object {
    const { _id } = (JSON.parse(line) as { delete: { _id: string } }).delete
    if (this.deletion !== 200)
      return { delete: { status: this.deletion, error: { type: 'cluster_block_exception' } } }
    const left = this.letters.filter((letter) => letter._id !== _id)
    const status = left.length < this.letters.length ? 200 : 404
    this.letters = left
    return { delete: { status } }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

const ofService = (service: string, ...bodies: string[]): LogBatch => {
  const batch = batchOf(
    bodies.map((body) => ({ body: text(body) })),
    { attributes: attributes({ 'service.name': text(service) }) },
  )
  batch.identify(Buffer.alloc(32, 3))
  return batch
}

function stored(id: string, otlp: Buffer): Stored {
  const target = { index: 'logs-shop.otel-default', id: `${id}-0` }
  const _source = { otlp: otlp.toString('base64'), target, '@timestamp': '2026-08-01T12:00:00Z' }
  return { _index: `.ds-letters-${id}`, _id: id, _source }
}

function letter(id: string, service: string, reason: string, pipeline = GROUP): Stored {
  const [{ bytes }] = ofService(service, id).encode(0, { reason, pipeline, buriedMs: Date.now() })
  return stored(id, bytes)
}

async function open(...letters: Stored[]) {
  const archive = await Archive.start()
  onTestFinished(() => archive[Symbol.asyncDispose]())
  archive.letters = letters
  const folder = newFolder()
  const buffer = await openBuffer(folder)
  onTestFinished(() => buffer.stop())
  const file = configFile(`
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:0" } } }
connectors:
  disk: { directory: ${JSON.stringify(folder)}, min_free: 1MiB }
exporters:
  elasticsearch: { endpoint: "${archive.url}", dead_letters: {} }
  debug:
service:
  pipelines:
    logs/gateway: { receivers: [otlp], exporters: [disk] }
    ${GROUP}: { receivers: [disk], exporters: [elasticsearch, debug] }
`)
  const dlq = (...args: string[]): Promise<Outcome> => {
    const from = args.includes('--from') ? [] : ['--from', 'elasticsearch']
    return sluice(['dlq', ...args, ...from, '-c', file], { components })
  }
  return { archive, buffer, dlq }
}

const three = () => [letter('a', 'shop', 'no a'), letter('b', 'shop', 'no b'), letter('c', 'cart', 'no c')]

describe('dead letters that an exporter keeps', () => {
  it('are listed page by page, with the document that each was to be', async () => {
    const { archive, dlq } = await open(...three())
    archive.refresh = 403

    const { stdout, stderr } = await dlq('ls', '--json')
    const some = await dlq('ls', '--json', '--where', 'document=c-0', '--since', '2020-01-01T00:00:00Z')

    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject([
      { reason: 'no a', index: 'logs-shop.otel-default', document: 'a-0', records: 1, pipeline: GROUP },
      { reason: 'no b', document: 'b-0' },
      { reason: 'no c', document: 'c-0' },
    ])
    expect(JSON.parse(some.stdout)).toMatchObject([{ reason: 'no c' }])
    const search = archive.seen.filter(({ path }) => path.endsWith('/_search')).at(-1)
    expect(search?.path).toBe('/logs-sluice.dlq-default/_search')
    expect(JSON.parse(search?.body ?? '')).toMatchObject({
      query: { range: { '@timestamp': { gte: Date.parse('2020-01-01T00:00:00Z') } } },
    })
    expect(archive.seen.at(-1)).toMatchObject({ method: 'DELETE', path: '/_search/scroll' })
  })

  it('are put into the queue of their pipeline, and deleted in the index that each lies in', async () => {
    const { archive, buffer, dlq } = await open(...three())

    const { stdout } = await dlq('replay', '--where', 'service.name=shop', '--json')

    expect(JSON.parse(stdout)).toEqual({ letters: 2, records: 2, left: 0 })
    expect(archive.seen.filter(({ path }) => path === '/_bulk').map(({ body }) => body)).toEqual([
      '{"delete":{"_index":".ds-letters-a","_id":"a"}}\n{"delete":{"_index":".ds-letters-b","_id":"b"}}\n',
    ])
    expect(archive.letters.map(({ _id }) => _id)).toEqual(['c'])
    expect(await drain(buffer)).toEqual(['a', 'b'])
  })

  it('stay where they are unless the queue has them', async () => {
    const { archive, buffer, dlq } = await open(...three())
    await buffer.stop()

    const gone = await dlq('replay', '--all', '--group', 'logs/gone')
    const { code, stderr } = await dlq('replay', '--all', '--connector', 'disc')

    expect([gone.code, code]).toEqual([2, 2])
    expect(gone.stderr).toContain('no pipeline "logs/gone" reads from disk')
    expect(stderr).toContain('there is no buffer "disc"')
    expect(archive.letters).toHaveLength(3)
  })

  it('are in both places, which it says, where they cannot be deleted', async () => {
    const { archive, buffer, dlq } = await open(...three())
    archive.deletion = 403

    const { code, stderr } = await dlq('replay', '--all')

    expect(code).toBe(1)
    expect(stderr).toBe(
      `2 letters are in the queue of ${GROUP}, and still dead letters too, which does no harm: 2 dead letters of logs-sluice.dlq-default could not be deleted: 403 cluster_block_exception\n`,
    )
    expect(await drain(buffer)).toEqual(['a', 'b'])
  })

  it('are no way into the buffer for what is no letter', async () => {
    const [{ bytes }] = ofService('shop', 'x').encode(0)
    const [{ bytes: good }] = ofService('shop', 'y').encode(0, { reason: 'no', pipeline: GROUP, buriedMs: 1 })
    const forged = Buffer.from(good)
    forged[forged.length - 3] = 0xff
    const { archive, buffer, dlq } = await open(
      stored('garbage', Buffer.from('no protobuf')),
      stored('empty', Buffer.alloc(0)),
      stored('forged', forged),
      stored('log', bytes),
      letter('other', 'shop', 'no', 'logs/gone'),
      letter('good', 'shop', 'no'),
    )

    const { code, stdout, stderr } = await dlq('replay', '--all', '--json')

    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({ letters: 1, records: 1, left: 5 })
    expect(stderr.match(/stays: undecodable/g)).toHaveLength(2)
    expect(stderr.match(/stays: it is no dead letter of Sluice/g)).toHaveLength(2)
    expect(stderr).toContain('no pipeline "logs/gone" reads from disk any more: say --group')
    expect(archive.letters.map(({ _id }) => _id)).toEqual(['garbage', 'empty', 'forged', 'log', 'other'])
    expect(await drain(buffer)).toEqual(['good'])
  })

  it('are dropped when told so, and what has gone meanwhile does not count', async () => {
    // The second is found, but no longer there when its turn comes.
    const { archive, dlq } = await open(...three(), letter('a', 'shop', 'no a'))

    const untold = await dlq('drop', '--all')
    const dropped = await dlq('drop', '--where', 'reason=no a', '--yes', '--json')

    expect(untold.stderr).toMatch(/^--yes: is needed .* of elasticsearch for good\?\n$/)
    expect(JSON.parse(dropped.stdout)).toEqual({ letters: 1, records: 1, left: 0 })
    expect(archive.letters.map(({ _id }) => _id)).toEqual(['b', 'c'])
  })

  it('are not looked for where there are none', async () => {
    const { dlq } = await open()

    expect(await dlq('ls', '--from', 'elasticsaerch')).toMatchObject({
      code: 2,
      stderr: '--from: there is no exporter "elasticsaerch", did you mean "elasticsearch"?\n',
    })
    expect(await dlq('ls', '--from', 'debug')).toMatchObject({
      code: 2,
      stderr: '--from: debug keeps no dead letters: its dead_letters are not set\n',
    })
    expect(await dlq('ls')).toMatchObject({ code: 0, stdout: 'no dead letters\n' })
  })
})
