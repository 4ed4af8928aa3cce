import type { Logger } from 'pino'
import type { Client } from './client/client.ts'
import { Requests } from './dead-letter-requests.ts'

interface Templates {
  readonly index_templates?: readonly {
    readonly index_template: {
      readonly index_patterns: readonly string[]
      readonly priority?: number
      readonly data_stream?: object
    }
  }[]
}

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
    const { index_templates = [] } = answer as Templates
    const [first] = index_templates
      .map(({ index_template }) => index_template)
      .filter(({ index_patterns }) => [index_patterns].flat().some((pattern) => matches(pattern, dataStream)))
      .toSorted((one, other) => (other.priority ?? 0) - (one.priority ?? 0))
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

function matches(pattern: string, name: string): boolean {
  const regex = pattern.split('*').map((literal) => literal.replace(/[^\w]/g, '\\$&'))
  return new RegExp(`^${regex.join('.*')}$`, 's').test(name)
}
