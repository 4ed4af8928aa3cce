import type { Logger } from 'pino'
import { type ElasticsearchConfig, nodesOf } from './config.ts'
import type { Targets } from './target.ts'

const TIMEOUT_MS = 10_000

/**
 * Looks once, at the start, whether documents will find a data stream to go to, and says so when not: without a
 * template every one of them would be refused. Never throws: a server that is away is the sender's business.
 */
export async function checkServer(
  config: ElasticsearchConfig,
  targets: Targets,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const { api_key, user, password, logs_index } = config
  if (logs_index !== undefined) return
  // Large, and of no use to a process that only receives.
  const { Client } = await import('@elastic/elasticsearch')
  const client = new Client({
    nodes: nodesOf(config),
    ...(api_key
      ? { auth: { apiKey: api_key } }
      : user
        ? { auth: { username: user, password: password ?? '' } }
        : {}),
    requestTimeout: TIMEOUT_MS,
    maxRetries: 0,
  })
  const name = targets.of({}).index
  try {
    const { index_templates } = await client.indices.getIndexTemplate({}, { signal })
    const matching = index_templates.filter(({ index_template }) =>
      [index_template.index_patterns].flat().some((pattern) => matches(pattern, name)),
    )
    if (!matching.some(({ index_template }) => index_template.data_stream !== undefined)) {
      log.warn(
        { dataStream: name },
        'no index template makes this a data stream; documents will be refused until one does',
      )
    }
  } catch (error) {
    if (signal.aborted) return
    log.warn(
      { err: error instanceof Error ? error.message : error },
      'Elasticsearch could not be asked for its templates',
    )
  } finally {
    await client.close()
  }
}

function matches(pattern: string, name: string): boolean {
  const regex = pattern.split('*').map((literal) => literal.replace(/[^\w]/g, '\\$&'))
  return new RegExp(`^${regex.join('.*')}$`).test(name)
}
