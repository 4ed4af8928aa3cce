import type { ComponentContext } from '../../src/define.ts'
import { pause } from '../../src/delivery/pause.ts'
import type { BulkClient } from './bulk-client.ts'
import type { Client } from './client/client.ts'
import { defaultMode, type ElasticsearchConfig } from './config.ts'
import { type IndexTemplates, templatesFor } from './index-templates.ts'
import { askWho, isSince, type ServerInfo, StrangerError } from './server-info.ts'
import type { Targets } from './target.ts'

const TIMEOUT_MS = 10_000
const AGAIN_MS = 30_000

export interface CheckParts {
  readonly client: Client
  readonly bulk: BulkClient
  readonly targets: Targets
  readonly config: ElasticsearchConfig
}

/**
 * Looks once, as soon as the server answers, what it is and whether documents will find a data stream to go to, and
 * says what is wrong. Rejects only when `signal` aborts: a server that is away is the sender's business.
 */
export async function checkServer(
  parts: CheckParts,
  context: Pick<ComponentContext, 'log' | 'metrics' | 'health'>,
  signal: AbortSignal,
): Promise<void> {
  const { log, health } = context
  for (;;) {
    try {
      const info = await askWho(parts.client, limited(signal))
      if (info === undefined) log.info('the server does not tell its version to this user')
      else adapt(parts, context, info)
      return await checkTemplates(parts, context, signal)
    } catch (error) {
      signal.throwIfAborted()
      const { message } = error as Error
      if (error instanceof StrangerError) health('failed', message)
      log.warn({ err: message }, 'the server could not be asked what it is')
      await pause(AGAIN_MS, signal)
    }
  }
}

/** Leaves out of requests what the server does not know, which saves the first one. */
function adapt(
  { bulk, targets }: CheckParts,
  { log, metrics, health }: Pick<ComponentContext, 'log' | 'metrics' | 'health'>,
  { flavor, version }: ServerInfo,
): void {
  const help = 'What answers, by flavor and version: always 1.'
  metrics.gauge('sluice_elasticsearch_server_info', help, { flavor, version }, undefined, 'max').set(1)
  log.info({ flavor, version }, 'the server answers')
  if (flavor === 'opensearch' || (flavor === 'elasticsearch' && !isSince(version, 8, 12))) {
    targets.askNoMoreForDataStreams()
  } else if (flavor === 'serverless' || isSince(version, 8, 18)) bulk.omitSource()
  if (flavor === 'elasticsearch' && !isSince(version, 7)) {
    const message = `Elasticsearch ${version} is too old: 7 is needed, and 7.9 for data streams`
    health('failed', message)
    log.error(message)
  }
}

/** Without a template documents are refused or, by servers that cannot be told, put into an index of any shape. */
async function checkTemplates(
  { client, targets, config }: CheckParts,
  { log }: Pick<ComponentContext, 'log'>,
  signal: AbortSignal,
): Promise<void> {
  const { index: name, mustBeDataStream } = targets.of({}, defaultMode(config), Date.now())
  if (!mustBeDataStream) return
  const path =
    '/_index_template?filter_path=index_templates.index_template.index_patterns,index_templates.index_template.data_stream'
  const { status, body, node } = await client.send({ method: 'GET', path }, limited(signal))
  if (status !== 200) {
    log.info({ node, status }, 'the server does not tell its index templates to this user')
    return
  }
  const templates = templatesFor(JSON.parse(body.toString()) as IndexTemplates, name)
  if (!templates.some(({ data_stream }) => data_stream !== undefined)) {
    log.warn(
      { dataStream: name },
      'no index template makes this a data stream; documents wait until one does',
    )
  }
}

function limited(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
}
