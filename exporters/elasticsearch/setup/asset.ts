import type { Json } from './request.ts'

export type AssetKind =
  | 'component template'
  | 'index template'
  | 'lifecycle policy'
  | 'ISM policy'
  | 'ingest pipeline'
  | 'role'

/** One thing that a server is to have. */
export interface Asset {
  readonly kind: AssetKind
  readonly name: string
  readonly body: Json
}

/** Raised when what is made changes: an older Sluice leaves alone what a newer one made. */
export const ASSETS_VERSION = 1

/** Stands in what Sluice made, so that it touches nothing else. */
export const META = { managed_by: 'sluice', version: ASSETS_VERSION }

const PATHS: Readonly<Record<AssetKind, string>> = {
  'component template': '/_component_template/',
  'index template': '/_index_template/',
  'lifecycle policy': '/_ilm/policy/',
  'ISM policy': '/_plugins/_ism/policies/',
  'ingest pipeline': '/_ingest/pipeline/',
  role: '/_security/role/',
}

/** Where an asset is read and written. */
export function pathOf({ kind, name }: Pick<Asset, 'kind' | 'name'>): string {
  return PATHS[kind] + encodeURIComponent(name)
}
