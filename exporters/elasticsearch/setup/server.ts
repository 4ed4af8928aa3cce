import { SetupError } from '../../../src/setup.ts'
import { allFeatures, type Features, featuresOf, takesTemplate } from './features.ts'
import { CHOICES, type Fields, type FieldUse, firstChoices } from './field-types.ts'
import { type Json, type Requests, refusal } from './request.ts'

/** What a server is and can do, as far as it matters for what it is given. */
export interface Server {
  readonly product: 'Elasticsearch' | 'OpenSearch'
  /** Empty where it does not say. */
  readonly version: string
  /** The types that it has for each kind of field. */
  readonly fields: Fields
  readonly has: Features
  /** Names of component templates that are there. */
  readonly componentTemplates: ReadonlySet<string>
}

const OLDEST = { Elasticsearch: [7, 9], OpenSearch: [1, 0] } as const

/** The newest server of a name, with all that such servers have, for those who only want to see JSON. */
export function assumedServer(name: string): Server {
  const isOpenSearch = name === 'opensearch'
  return {
    product: isOpenSearch ? 'OpenSearch' : 'Elasticsearch',
    version: '',
    fields: firstChoices(isOpenSearch),
    has: allFeatures(isOpenSearch),
    componentTemplates: new Set(isOpenSearch ? [] : ['ecs@mappings']),
  }
}

/** Asks a server what it is and what it takes. Throws `SetupError` where it is too old, or may not be asked. */
export async function inspectServer(requests: Requests): Promise<Server> {
  const { product, version } = await identify(requests)
  if (isOlder(version, OLDEST[product])) {
    throw new SetupError(
      `${requests.nodes} is ${product} ${version}: index templates for data streams need ${OLDEST[product].join('.')} or newer`,
    )
  }
  const componentTemplates = await componentsOf(requests)
  const has = await featuresOf(requests, product === 'OpenSearch')
  return { product, version, fields: await fieldsOf(requests), has, componentTemplates }
}

/** False where the version is not known. */
export function isOlder(version: string, [major, minor]: readonly [number, number]): boolean {
  const [is, isMinor] = version.split('.').map(Number)
  return version !== '' && (is < major || (is === major && isMinor < minor))
}

/** Servers without `GET /` tell their version with their nodes; some do not tell it at all. */
async function identify(requests: Requests): Promise<Pick<Server, 'product' | 'version'>> {
  const root = await requests.send('GET', '/')
  if (root.status === 401) throw refusal('GET', '/', root)
  const said = root.json.version as { readonly number?: string; readonly distribution?: string } | undefined
  const product = said?.distribution === 'opensearch' ? 'OpenSearch' : 'Elasticsearch'
  if (said?.number !== undefined) return { product, version: said.number }
  const { json } = await requests.send('GET', '/_nodes/_local?filter_path=nodes.*.version')
  const [node] = Object.values((json.nodes ?? {}) as Record<string, { readonly version?: string }>)
  return { product, version: node?.version ?? '' }
}

/** In one question where the server has all types, else in one for each. */
async function fieldsOf(requests: Requests): Promise<Fields> {
  const takes = (properties: Json) => takesTemplate(requests, { mappings: { properties } })
  const best = firstChoices(false)
  if (await takes(best)) return best
  const uses = await Promise.all(
    (Object.keys(CHOICES) as FieldUse[]).map(async (use) => {
      for (const choice of CHOICES[use]) if (await takes({ field: choice })) return [use, choice] as const
      const types = CHOICES[use].map(({ type }) => type).join(', ')
      throw new SetupError(`the server has no type for ${use}: none of ${types}`)
    }),
  )
  return Object.fromEntries(uses) as unknown as Fields
}

async function componentsOf(requests: Requests): Promise<ReadonlySet<string>> {
  const path = '/_component_template?filter_path=component_templates.name'
  const answer = await requests.send('GET', path)
  if (answer.status !== 200) throw refusal('GET', path, answer)
  const templates = (answer.json.component_templates ?? []) as readonly { readonly name: string }[]
  return new Set(templates.map(({ name }) => name))
}
