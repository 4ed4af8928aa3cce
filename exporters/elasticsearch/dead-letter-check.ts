import type { Logger } from 'pino'
import type { Client } from './client/client.ts'
import { Requests } from './dead-letter-requests.ts'
import { type IndexTemplates, templatesFor } from './index-templates.ts'

/**
 * Looks once, at the start, whether there is an index template for dead letters, and says so when not. Never throws:
 * where letters do not find their data stream, the buffer keeps them.
 */
export async function checkDeadLetters(
  client: Client,
  dataStream: string,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  try {
    const query = { filter_path: 'index_templates.index_template' }
    const answer = await new Requests(client, signal).ask('GET', '/_index_template', { query })
    const [first] = templatesFor(answer as IndexTemplates, dataStream).toSorted(
      (one, other) => (other.priority ?? 0) - (one.priority ?? 0),
    )
    if (first?.data_stream !== undefined) return
    log.warn(
      { dataStream },
      'no index template makes this a data stream for dead letters; the buffer keeps them until one does: docs/dead-letters.md has it',
    )
  } catch (err) {
    if (!signal.aborted)
      log.warn({ err }, 'Elasticsearch could not be asked for the template of dead letters')
  }
}
