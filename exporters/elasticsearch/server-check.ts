import { once } from 'node:events'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Logger } from 'pino'
import { defaultMode, type ElasticsearchConfig, nodesOf } from './config.ts'
import type { Targets } from './target.ts'
import type { TemplateAnswer, TemplateQuestion } from './template-check.ts'

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
  const { index: name, mustBeDataStream } = targets.of({}, defaultMode(config), Date.now())
  if (!mustBeDataStream) return
  const answer = await ask({ client: clientOptions(config), name }, signal).catch((error: unknown) => ({
    error: error instanceof Error ? error.message : String(error),
  }))
  if (signal.aborted) return
  if ('error' in answer) {
    log.warn({ err: answer.error }, 'Elasticsearch could not be asked for its templates')
  } else if (!answer.found) {
    log.warn(
      { dataStream: name },
      'no index template makes this a data stream; documents will be refused until one does',
    )
  }
}

function clientOptions(config: ElasticsearchConfig): TemplateQuestion['client'] {
  const { api_key, user, password } = config
  const auth = api_key ? { apiKey: api_key } : user ? { username: user, password: password ?? '' } : undefined
  return { nodes: nodesOf(config), ...(auth && { auth }), requestTimeout: TIMEOUT_MS, maxRetries: 0 }
}

/** In a thread: the official client is large, and what it takes would be in the way of every garbage collection after. */
async function ask(question: TemplateQuestion, signal: AbortSignal): Promise<TemplateAnswer> {
  const file = new URL(`./template-check${extname(import.meta.url)}`, import.meta.url)
  const thread = new Worker(file, { workerData: question })
  try {
    const [answer] = (await once(thread, 'message', { signal })) as [TemplateAnswer]
    return answer
  } finally {
    await thread.terminate()
  }
}
