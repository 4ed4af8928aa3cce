import { ASSETS_VERSION, type Asset, META, pathOf } from './asset.ts'
import { type Json, type Requests, refusal, textOf } from './request.ts'

/** An asset as the server has it. */
export interface Existing {
  readonly body: Json
  /** What a change must name where the server wants to know what it is a change of. */
  readonly query: string
}

/** Throws `SetupError` where it may not be read. */
export async function readExisting(requests: Requests, asset: Asset): Promise<Existing | undefined> {
  const path = pathOf(asset)
  const answer = await requests.send('GET', path)
  if (answer.status === 404) return undefined
  if (answer.status !== 200) throw refusal('GET', path, answer)
  const body = bodyIn(asset, answer.json)
  return body && { body, query: queryFor(asset, answer.json) }
}

/** Index templates that Sluice made for a policy or mode which the config no longer has: they still apply. */
export async function leftovers(
  requests: Requests,
  prefix: string,
  assets: readonly Asset[],
): Promise<readonly Pick<Asset, 'kind' | 'name'>[]> {
  const path = `/_index_template/${encodeURIComponent(`${prefix}-logs-`)}*`
  const answer = await requests.send('GET', path)
  if (answer.status === 404) return []
  if (answer.status !== 200) throw refusal('GET', path, answer)
  const templates = (answer.json.index_templates ?? []) as readonly {
    readonly name: string
    readonly index_template: Json
  }[]
  const wanted = new Set(assets.filter(({ kind }) => kind === 'index template').map(({ name }) => name))
  return templates
    .filter(({ name, index_template }) => !wanted.has(name) && isOurs('index template', index_template))
    .map(({ name }) => ({ kind: 'index template' as const, name }))
    .sort((a, b) => a.name.localeCompare(b.name))
}

/** Why something must not be overwritten without being told to; undefined where an older Sluice or this one made it. */
export function foreignness({ kind }: Asset, { body }: Existing): string | undefined {
  const { managedBy, version } = maker(kind, body)
  if (managedBy !== META.managed_by)
    return `Sluice did not make it${managedBy === '' ? '' : `, ${managedBy} did`}`
  return version > ASSETS_VERSION ? 'a newer Sluice made it' : undefined
}

function isOurs(kind: Asset['kind'], body: Json): boolean {
  return maker(kind, body).managedBy === META.managed_by
}

function bodyIn({ kind, name }: Asset, json: Json): Json | undefined {
  const listed = (list: string, member: string) =>
    (json[list] as readonly Json[] | undefined)?.[0]?.[member] as Json | undefined
  switch (kind) {
    case 'component template':
      return listed('component_templates', 'component_template')
    case 'index template':
      return listed('index_templates', 'index_template')
    case 'lifecycle policy': {
      const entry = json[name] as Json | undefined
      return entry && { policy: entry.policy }
    }
    case 'ISM policy':
      return { policy: json.policy }
    default:
      return json[name] as Json | undefined
  }
}

function queryFor({ kind }: Asset, { _seq_no, _primary_term }: Json): string {
  return kind === 'ISM policy' ? `?if_seq_no=${String(_seq_no)}&if_primary_term=${String(_primary_term)}` : ''
}

function maker(kind: Asset['kind'], body: Json): { managedBy: string; version: number } {
  const policy = body.policy as Json | undefined
  if (kind === 'ISM policy' || kind === 'ingest pipeline') {
    const text = textOf((policy ?? body).description ?? '')
    const [, managedBy = '', version = '0'] = /managed_by: (\S+), version: (\d+)/.exec(text) ?? []
    return { managedBy, version: Number(version) }
  }
  const meta = (kind === 'role' ? body.metadata : ((policy ?? body)._meta ?? {})) as Json
  const by = meta.managed_by ?? (meta.managed === true ? 'the server' : '')
  return { managedBy: textOf(by), version: Number(meta.version ?? 0) }
}
