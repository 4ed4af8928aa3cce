import type { JsonAnswer } from '../client/json.ts'
import { type Json, type Requests, refusal } from './request.ts'

/** What servers differ in. */
export type Feature =
  | 'ilm'
  | 'dsl'
  | 'ism'
  | 'security'
  | 'documentRules'
  | 'logsdb'
  | 'failureStore'
  | 'ignoreBeyondLimit'
  | 'ignoreMissingComponents'
  | 'optionalPipelines'

export type Features = Readonly<Record<Feature, boolean>>

/** How each is found out of Elasticsearch; of OpenSearch only what stands below. */
const QUESTIONS: Readonly<Record<Exclude<Feature, 'ism'>, (requests: Requests) => Promise<boolean>>> = {
  ilm: (requests) => hasApi(requests, '/_ilm/policy/sluice-default'),
  dsl: (requests) => takesTemplate(requests, { lifecycle: { data_retention: '1d' } }),
  security: (requests) => hasApi(requests, '/_security/role/sluice_writer'),
  documentRules,
  logsdb: (requests) => takesTemplate(requests, { settings: { 'index.mode': 'logsdb' } }),
  failureStore: (requests) =>
    takesTemplate(requests, { data_stream_options: { failure_store: { enabled: true } } }),
  ignoreBeyondLimit: (requests) =>
    takesTemplate(requests, { settings: { 'index.mapping.total_fields.ignore_dynamic_beyond_limit': true } }),
  ignoreMissingComponents: (requests) =>
    takesTemplate(requests, {}, { composed_of: [], ignore_missing_component_templates: [] }),
  optionalPipelines,
}

const PROBE = 'sluice-setup-probe'
/** Above all others, for nothing. */
const PROBE_PRIORITY = 1_000_000

/** All that a server of this kind may have. */
export function allFeatures(isOpenSearch: boolean): Features {
  const names = Object.keys(QUESTIONS) as (keyof typeof QUESTIONS)[]
  const has = Object.fromEntries(names.map((name) => [name, !isOpenSearch])) as Omit<Features, 'ism'>
  return { ...has, ism: isOpenSearch }
}

/** Asks a server what it has, without changing anything. Throws `SetupError` where it may not be asked. */
export async function featuresOf(requests: Requests, isOpenSearch: boolean): Promise<Features> {
  const none = allFeatures(true)
  if (isOpenSearch) return { ...none, ism: await hasApi(requests, '/_plugins/_ism/policies/sluice-default') }
  const answers = await Promise.all(
    Object.entries(QUESTIONS).map(async ([name, ask]) => [name, await ask(requests)] as const),
  )
  return { ...none, ism: false, ...(Object.fromEntries(answers) as Partial<Features>) }
}

/** Whether a server would take a template. */
export async function takesTemplate(requests: Requests, template: Json, more: Json = {}): Promise<boolean> {
  const path = '/_index_template/_simulate'
  const answer = await requests.send('POST', path, {
    index_patterns: [`${PROBE}-*`],
    priority: PROBE_PRIORITY,
    data_stream: {},
    ...more,
    template,
  })
  if (answer.status !== 200 && answer.status !== 400) throw refusal('POST', path, answer)
  return answer.status === 200
}

async function hasApi(requests: Requests, path: string): Promise<boolean> {
  const answer = await requests.send('GET', path)
  if (answer.status === 401 || answer.status === 403) throw refusal('GET', path, answer)
  return answer.status === 200 || (answer.status === 404 && !isUnknownPath(answer))
}

function isUnknownPath({ json }: JsonAnswer): boolean {
  return typeof json.error === 'string' && json.error.startsWith('no handler found')
}

/** Rules below the index are no part of the free licence. */
async function documentRules(requests: Requests): Promise<boolean> {
  const { json } = await requests.send('GET', '/_license')
  const { type } = (json.license ?? {}) as { readonly type?: string }
  return type !== undefined && ['trial', 'platinum', 'enterprise'].includes(type)
}

/** Whether a pipeline can run another one that may be missing. */
async function optionalPipelines(requests: Requests): Promise<boolean> {
  const path = '/_ingest/pipeline/_simulate'
  const processors = [{ pipeline: { name: PROBE, ignore_missing_pipeline: true } }]
  const answer = await requests.send('POST', path, { pipeline: { processors }, docs: [{ _source: {} }] })
  if (answer.status === 401) throw refusal('POST', path, answer)
  return answer.status === 200
}
