import { parentPort, workerData } from 'node:worker_threads'
import { Client, type ClientOptions } from '@elastic/elasticsearch'

/** What the thread is given. */
export interface TemplateQuestion {
  readonly client: ClientOptions
  /** A data stream. */
  readonly name: string
}

/** Whether an index template makes the name a data stream, or why that is not known. */
export type TemplateAnswer = { readonly found: boolean } | { readonly error: string }

async function ask({ client: options, name }: TemplateQuestion): Promise<TemplateAnswer> {
  const client = new Client(options)
  try {
    const { index_templates } = await client.indices.getIndexTemplate()
    const found = index_templates.some(
      ({ index_template: { index_patterns, data_stream } }) =>
        data_stream !== undefined && [index_patterns].flat().some((pattern) => matches(pattern, name)),
    )
    return { found }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  } finally {
    await client.close()
  }
}

function matches(pattern: string, name: string): boolean {
  const regex = pattern.split('*').map((literal) => literal.replace(/[^\w]/g, '\\$&'))
  return new RegExp(`^${regex.join('.*')}$`).test(name)
}

parentPort?.postMessage(await ask(workerData as TemplateQuestion))
