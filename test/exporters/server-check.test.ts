import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type DestinationStream, pino } from 'pino'
import { expect, it, onTestFinished } from 'vitest'
import { config, targetOptions } from '../../exporters/elasticsearch/config.ts'
import { checkServer } from '../../exporters/elasticsearch/server-check.ts'
import { Targets } from '../../exporters/elasticsearch/target.ts'

/** What the check logs of a server that has these templates, or answers with a status. */
async function logged(answer: object, status = 200, settings: object = {}): Promise<string> {
  const server = createServer((_request, response) => {
    response
      .writeHead(status, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' })
      .end(JSON.stringify(answer))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  let lines = ''
  const stream: DestinationStream = { write: (line) => (lines += line) }
  const parsed = config.parse({ endpoint, ...settings })
  const targets = new Targets(targetOptions(parsed))
  await checkServer(parsed, targets, pino({}, stream), new AbortController().signal)
  return lines
}

const template = (pattern: string, more: object) => ({
  index_templates: [{ name: 't', index_template: { index_patterns: [pattern], composed_of: [], ...more } }],
})

it('says nothing where a template makes a data stream of the name', async () => {
  expect(await logged(template('logs-*.otel-*', { data_stream: {} }))).toBe('')
})

it.each([
  ['none matches', template('metrics-*', { data_stream: {} })],
  ['the one that matches makes an index', template('logs-*', {})],
])('warns where %s', async (_, templates) => {
  expect(await logged(templates)).toContain('no index template makes this a data stream')
})

it('warns where the server cannot be asked', async () => {
  expect(await logged({ error: 'no' }, 403)).toContain('could not be asked')
})

it('asks for nothing where documents go to whatever index there is', async () => {
  for (const settings of [
    { logs_index: 'mine' },
    { mapping: { mode: 'raw' } },
    { logstash_format: { enabled: true } },
  ]) {
    expect(await logged(template('metrics-*', { data_stream: {} }), 200, settings)).toBe('')
  }
})

it('asks for the data stream of the mode', async () => {
  const ecs = { mapping: { mode: 'ecs' } }
  expect(await logged(template('logs-*.otel-*', { data_stream: {} }), 200, ecs)).toContain(
    'logs-generic-default',
  )
})
