import { SetupError } from '../../../src/setup.ts'
import type { ElasticsearchConfig } from '../config.ts'
import { installKibana, type KibanaAuth } from '../kibana/install.ts'
import { kibanaObjects } from '../kibana/objects.ts'
import type { Mode } from './names.ts'

export interface KibanaTarget {
  readonly url: string
  readonly space: string | undefined
  readonly modes: readonly Mode[]
  readonly dryRun: boolean
}

/** Brings data views, searches and dashboards into Kibana, and says what became of each. Throws `SetupError`. */
export async function setUpKibana(
  config: ElasticsearchConfig,
  { url, space, modes, dryRun }: KibanaTarget,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const objects = kibanaObjects({ modes, ...(space !== undefined && { space }) })
  try {
    const options = { url, space, auth: authOf(config), objects, overwrite: true, dryRun }
    const { request, objects: installed } = await installKibana(options, signal)
    return [request, ...installed.map(({ type, title, outcome }) => `  ${outcome} ${type} ${title}`)]
  } catch (error) {
    signal.throwIfAborted()
    const problem = error instanceof Error ? error.message : String(error)
    throw new SetupError(problem, { cause: error })
  }
}

/** Kibana has the users and keys of its Elasticsearch. */
function authOf({ api_key, user, password }: ElasticsearchConfig): KibanaAuth {
  if (api_key !== undefined) return { apiKey: api_key }
  return user === undefined ? undefined : { user, password: password ?? '' }
}
