import { type DestinationStream, pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { BulkClient } from '../../../exporters/elasticsearch/bulk-client.ts'
import { Client } from '../../../exporters/elasticsearch/client/client.ts'
import { config, targetOptions } from '../../../exporters/elasticsearch/config.ts'
import { checkServer } from '../../../exporters/elasticsearch/server-check.ts'
import { Targets } from '../../../exporters/elasticsearch/target.ts'
import { testContext } from '../../support/component.ts'
import { type StubAnswer, startStub } from './stub.ts'

const TEMPLATES = '/_index_template'
const GREETING = { body: { version: { number: '9.5.3', build_flavor: 'default' } } }

/** What the check logs, and does, of a server that answers so. */
async function checked(answers: Readonly<Record<string, StubAnswer>>, settings: object = {}) {
  await using stub = await startStub(({ path }) => answers[path.split('?')[0]] ?? { status: 404 })
  let lines = ''
  const given = testContext()
  const done = new AbortController()
  const stream: DestinationStream = {
    write(line) {
      lines += line
      if (line.includes('could not be asked')) done.abort()
    },
  }
  const context = { ...given, log: pino({}, stream) }
  const parsed = config.parse({ endpoint: stub.url, ...settings })
  const client = new Client(parsed, { ...context, patience: 1000 })
  const bulk = new BulkClient(client, parsed)
  const targets = new Targets(targetOptions(parsed))
  await checkServer({ client, bulk, targets, config: parsed }, context, done.signal).catch(() => {})
  const asks = targets.asksForDataStreams
  await bulk.send(Buffer.from('{}\n'), new AbortController().signal)
  await bulk.close()
  return { lines, asks, given, bulkPath: stub.seen.at(-1)?.path ?? '', seen: stub.seen }
}

const template = (pattern: string, more: object): StubAnswer => ({
  body: { index_templates: [{ index_template: { index_patterns: [pattern], ...more } }] },
})

describe('the check of templates', () => {
  it('says nothing where one makes a data stream of the name', async () => {
    const answers = { '/': GREETING, [TEMPLATES]: template('logs-*.otel-*', { data_stream: {} }) }
    expect((await checked(answers)).lines).not.toContain('template')
  })

  it.each([
    ['none matches', template('metrics-*', { data_stream: {} })],
    ['the one that matches makes an index', template('logs-*', {})],
    ['there is none', { body: {} }],
  ])('warns where %s', async (_, templates) => {
    const { lines } = await checked({ '/': GREETING, [TEMPLATES]: templates })
    expect(lines).toContain('no index template makes this a data stream')
  })

  it('is content with a user who may not ask', async () => {
    const { lines } = await checked({ '/': { status: 403 }, [TEMPLATES]: { status: 403 } })
    expect(lines).toContain('does not tell its version to this user')
    expect(lines).toContain('does not tell its index templates to this user')
  })

  it('asks for nothing where documents go to whatever index there is', async () => {
    for (const settings of [
      { logs_index: 'mine' },
      { mapping: { mode: 'raw' } },
      { logstash_format: { enabled: true } },
    ]) {
      const { seen } = await checked({ '/': GREETING }, settings)
      expect(seen.map(({ path }) => path).filter((path) => path.startsWith(TEMPLATES))).toEqual([])
    }
  })

  it('asks for the data stream of the mode', async () => {
    const answers = { '/': GREETING, [TEMPLATES]: template('logs-*.otel-*', { data_stream: {} }) }
    expect((await checked(answers, { mapping: { mode: 'ecs' } })).lines).toContain('logs-generic-default')
  })
})

describe('the check of the server', () => {
  const greeting = (version: object): StubAnswer => ({ body: { version } })

  it.each([
    ['elasticsearch', '9.5.3', { number: '9.5.3', build_flavor: 'default' }],
    ['elasticsearch', '8.12.0', { number: '8.12.0' }],
    ['opensearch', '3.8.0', { number: '3.8.0', distribution: 'opensearch' }],
    ['serverless', '9.6.0', { number: '9.6.0', build_flavor: 'serverless' }],
  ])('tells %s %s in log and metric', async (flavor, version, given) => {
    const { lines, given: context } = await checked({ '/': greeting(given) })
    expect(lines).toContain(`"flavor":"${flavor}","version":"${version}"`)
    expect(await context.value('sluice_elasticsearch_server_info', { flavor, version })).toBe(1)
  })

  it.each([
    [true, true, { number: '9.5.3' }],
    [true, false, { number: '8.12.0' }],
    [false, false, { number: '8.11.4' }],
    [false, false, { number: '3.8.0', distribution: 'opensearch' }],
    [true, true, { number: '9.6.0', build_flavor: 'serverless' }],
  ])(
    'asks for data streams: %s, and for errors without source: %s, of %j',
    async (streams, bare, version) => {
      const { asks, bulkPath } = await checked({ '/': greeting(version) })
      expect(asks).toBe(streams)
      expect(bulkPath.includes('include_source_on_error=false')).toBe(bare)
    },
  )

  it('asks a server without a greeting in another way', async () => {
    const headers = { 'x-elastic-product': 'Elasticsearch' }
    const nodes = { body: { nodes: { abc: { version: '9.5.3' } } } }
    const { lines } = await checked({ '/': { status: 405, headers }, '/_nodes/_local/http': nodes })
    expect(lines).toContain('"flavor":"elasticsearch","version":"9.5.3"')
  })

  it.each([
    ['a page', 'text/html', '<html>Please log in</html>'],
    ['another service', 'application/json', '{"message":"Please use /api"}'],
    ['no object', 'application/json', 'null'],
  ])('says so when %s answers', async (_, type, body) => {
    const { lines, given } = await checked({ '/': { body, headers: { 'content-type': type } } })
    expect(lines).toContain(`does not answer as Elasticsearch or OpenSearch does, but 200 with ${type}`)
    expect(lines).not.toContain('Please')
    expect(given.states.at(-1)?.state).toBe('failed')
  })

  it('does without what something in between has left out', async () => {
    const { lines, given } = await checked({ '/': { body: '{}' } })
    expect(lines).toContain('does not tell its version')
    expect(given.states).toEqual([])
  })

  it('says so when the server is too old', async () => {
    const { lines, given } = await checked({ '/': greeting({ number: '6.8.23' }) })
    expect(lines).toContain('Elasticsearch 6.8.23 is too old')
    expect(given.states.at(-1)?.state).toBe('failed')
  })
})
