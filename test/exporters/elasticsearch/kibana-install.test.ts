import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { Agent } from 'undici'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type InstallOptions, installKibana } from '../../../exporters/elasticsearch/kibana/install.ts'
import { kibanaObjects } from '../../../exporters/elasticsearch/kibana/objects.ts'
import type { SavedObject } from '../../../exporters/elasticsearch/kibana/saved-object.ts'
import { makeCertificates } from '../../servers/certificates.ts'
import { freePort } from '../../servers/ports.ts'
import { never } from '../../support/component.ts'

const objects = kibanaObjects({ modes: ['ecs'] })
const SECRET = 'VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw=='

interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly file: File
  readonly objects: readonly SavedObject[]
}

/** Kibana's import, as far as it can be told from without: it reads the form, keeps objects by space, and answers. */
class FakeKibana {
  readonly received: Received[] = []
  /** What to answer instead. */
  answer: { readonly status: number; readonly body: string; readonly location?: string } | undefined
  readonly #spaces = new Map<string, Map<string, SavedObject>>()
  readonly #server: Server
  readonly #scheme: string

  constructor(tls?: { readonly key: Buffer; readonly cert: Buffer }) {
    this.#scheme = tls ? 'https' : 'http'
    const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const body = await buffer(request)
      const { answer } = this
      if (answer !== undefined) {
        const { status, location } = answer
        response.writeHead(status, { 'content-type': 'application/json', ...(location && { location }) })
        response.end(answer.body)
        return
      }
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://kibana')
      const type = request.headers['content-type'] ?? ''
      const form = await new Response(body, { headers: { 'content-type': type } }).formData()
      const file = form.get('file')
      if (!(file instanceof File) || !file.name.endsWith('.ndjson')) {
        response.writeHead(415).end('{"message":"Invalid file extension"}')
        return
      }
      const lines = (await file.text()).trimEnd().split('\n')
      const sent = lines.map((line) => JSON.parse(line) as SavedObject)
      this.received.push({ path: request.url ?? '', headers: request.headers, file, objects: sent })
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(this.#import(pathname, sent, searchParams.get('overwrite') === 'true')))
    }
    const listener = (request: IncomingMessage, response: ServerResponse): void =>
      void handle(request, response)
    this.#server = tls ? createSecureServer(tls, listener) : createServer(listener)
  }

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `${this.#scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  stop(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  #import(path: string, sent: readonly SavedObject[], overwrite: boolean): object {
    const kept = this.#spaces.get(path) ?? new Map<string, SavedObject>()
    this.#spaces.set(path, kept)
    const taken = sent.filter(({ id }) => overwrite || !kept.has(id))
    const successResults = taken.map(({ type, id }) => ({ type, id, ...(kept.has(id) && { overwrite }) }))
    const errors = sent
      .filter((object) => !taken.includes(object))
      .map(({ type, id, attributes: { title } }) => ({
        type,
        id,
        meta: { title },
        error: { type: 'conflict' },
      }))
    for (const object of taken) kept.set(object.id, object)
    const success = errors.length === 0
    return { success, successCount: taken.length, successResults, ...(!success && { errors }), warnings: [] }
  }
}

let kibana: FakeKibana
let url: string

beforeEach(async () => {
  kibana = new FakeKibana()
  url = await kibana.start()
})

afterEach(() => {
  kibana.stop()
})

const install = (options: Partial<InstallOptions> = {}) =>
  installKibana({ url, objects, overwrite: true, auth: { apiKey: SECRET }, ...options }, never)

/** The message that a failed installation ends with. */
const problem = async (options: Partial<InstallOptions> = {}): Promise<string> =>
  install(options).then(
    () => 'none',
    (error: unknown) => (error as Error).message,
  )

describe('installing into Kibana', () => {
  it('uploads one file with all objects, as its import wants it', async () => {
    const { request, objects: installed } = await install()

    expect(kibana.received).toHaveLength(1)
    const [{ path, headers, file, objects: sent }] = kibana.received
    expect(path).toBe('/api/saved_objects/_import?overwrite=true')
    expect(request).toBe(`POST ${url}${path}`)
    expect(headers).toMatchObject({ authorization: `ApiKey ${SECRET}`, 'kbn-xsrf': 'sluice' })
    expect(file.name).toBe('sluice.ndjson')
    expect(sent).toEqual(objects)
    expect(installed).toEqual(
      objects.map(({ type, id, attributes: { title } }) => ({ type, id, title, outcome: 'created' })),
    )
  })

  it('goes to a space, below the path that Kibana is at', async () => {
    await install({ url: `${url}/kibana/`, space: 'team-a' })
    await install({ url: `${url}/kibana`, space: 'default', overwrite: false })

    expect(kibana.received.map(({ path }) => path)).toEqual([
      '/kibana/s/team-a/api/saved_objects/_import?overwrite=true',
      '/kibana/api/saved_objects/_import',
    ])
  })

  it('replaces its own objects when it is done again', async () => {
    await install()
    const again = await install()

    expect(new Set(again.objects.map(({ outcome }) => outcome))).toEqual(new Set(['replaced']))
  })

  it.each([
    ['an option', { auth: { user: 'kim', password: 'pa:ss' } }, ''],
    ['the URL', { auth: undefined }, 'kim:pa%3Ass@'],
  ] as const)('takes a user from %s', async (_, options, inUrl) => {
    await install({ ...options, url: url.replace('//', `//${inUrl}`) })

    const expected = `Basic ${Buffer.from('kim:pa:ss').toString('base64')}`
    expect(kibana.received[0].headers.authorization).toBe(expected)
  })

  it('sends no credentials where there are none', async () => {
    await install({ auth: undefined })

    expect(kibana.received[0].headers.authorization).toBeUndefined()
  })

  it('asks nobody in a dry run', async () => {
    const { request, objects: planned } = await install({
      dryRun: true,
      url: url.replace('//', '//kim:secret@'),
    })

    expect(kibana.received).toEqual([])
    expect(request).toBe(`POST ${url}/api/saved_objects/_import?overwrite=true`)
    expect(planned.map(({ outcome }) => outcome)).toEqual(objects.map(() => 'planned'))
  })
})

describe('installing over TLS', () => {
  it('trusts the authority that the dispatcher brings, and no other', async () => {
    await using certificates = await makeCertificates()
    const { key, cert } = certificates.server
    const secure = new FakeKibana({ key: readFileSync(key), cert: readFileSync(cert) })
    const secureUrl = await secure.start()
    const agent = new Agent({ connect: { ca: readFileSync(certificates.ca) } })

    const distrusted = await problem({ url: secureUrl })
    const trusted = await install({ url: secureUrl, dispatcher: agent })
    await agent.close()
    secure.stop()

    expect(distrusted).toMatch(/did not answer: .*certificate/)
    expect(trusted.objects).toHaveLength(objects.length)
    expect(secure.received).toHaveLength(1)
  })
})

describe('when Kibana refuses, the message says what to do', () => {
  const body = (message: string) => JSON.stringify({ statusCode: 0, error: 'Refused', message })

  it.each([
    [
      401,
      body('[security_exception] missing'),
      {},
      /answered 401: it does not know this API key or user; give /,
    ],
    [
      403,
      body('Unable to bulk_create dashboard'),
      {},
      /403 \(Unable to bulk_create dashboard\).*may not write.*All/,
    ],
    [403, body('Forbidden'), { space: 'team-a' }, /in the space team-a; it needs the Kibana privilege/],
    [
      404,
      body('Not Found'),
      { space: 'team-a' },
      /there is no space team-a, or no Kibana at this path; create/,
    ],
    [404, 'nothing here', {}, /there is no Kibana at this path; mind server.basePath/],
    [409, body('conflict'), {}, /somebody else is changing the same objects; try again/],
    [413, '', {}, /raise savedObjects.maxImportPayloadBytes/],
    [503, 'Kibana server is not ready yet', {}, /Kibana is not ready; try again/],
    [
      400,
      '{"error":"no handler found for uri","status":400}',
      {},
      /how Elasticsearch answers; give the URL of Kibana/,
    ],
    [500, body('An internal server error occurred'), {}, /500 \(An internal server error occurred\)/],
    [200, '<html>Log in</html>', {}, /answered 200 with something that is no answer of Kibana's import/],
  ])('%i %s', async (status, text, options, expected) => {
    kibana.answer = { status, body: text }

    const message = await problem(options)

    expect(message).toMatch(expected)
    expect(message).toContain(new URL(url).host)
    expect(message).not.toContain(SECRET)
  })

  it('a redirect, which is not followed', async () => {
    kibana.answer = { status: 302, body: '', location: '/login' }

    expect(await problem()).toMatch(/answered 302, a redirect: give the URL that it ends at/)
  })

  it('nobody there', async () => {
    const port = await freePort()

    const message = await problem({ url: `http://kim:secret@127.0.0.1:${port}` })

    expect(message).toMatch(new RegExp(`^127.0.0.1:${port} did not answer: .*ECONNREFUSED`))
    expect(message).not.toContain('secret')
  })

  it.each(['kim:secret@kibana', '//kim:secret@kibana', ''])(
    '%j, which is no URL and may hold a password',
    async (text) => {
      expect(await problem({ url: text })).toBe(
        'the URL of Kibana is not one: expected one such as http://localhost:5601',
      )
    },
  )

  it('a space that is none', async () => {
    expect(await problem({ space: '../x' })).toMatch(/"\.\.\/x" is no id of a space/)
  })

  it('objects that are there already, without overwrite', async () => {
    await install({ objects: objects.slice(0, 2) })

    const message = await problem({ overwrite: false })

    const [first, second] = objects
    expect(message.split('\n')).toEqual([
      `${objects.length - 2} of ${objects.length} saved objects were imported into ${new URL(url).host}`,
      `  ${first.type} ${first.id}: is there already; import with overwrite to replace it`,
      `  ${second.type} ${second.id}: is there already; import with overwrite to replace it`,
    ])
  })

  it('objects that it does not take', async () => {
    const errors = [
      {
        type: 'search',
        id: 'a',
        error: { type: 'missing_references', references: [{ type: 'index-pattern', id: 'b' }] },
      },
      { type: 'dashboard', id: 'c', error: { type: 'unsupported_type' } },
      { type: 'dashboard', id: 'd', error: { type: 'unknown', message: 'no shard', statusCode: 503 } },
    ]
    kibana.answer = { status: 200, body: JSON.stringify({ success: false, successCount: 4, errors }) }

    const message = await problem({ space: 'team-a' })

    expect(message).toMatch(/^4 of \d+ saved objects were imported into [\d.:]+, space team-a\n/)
    expect(message).toContain('search a: needs index-pattern b, which is not there; import the whole file')
    expect(message).toContain('dashboard c: this Kibana does not know its type; expected Kibana 8.9 or newer')
    expect(message).toContain('dashboard d: no shard')
  })

  it('an order to stop', async () => {
    const stopped = AbortSignal.abort(new Error('stopped'))

    await expect(installKibana({ url, objects, overwrite: true }, stopped)).rejects.toThrow('stopped')
  })
})
