/** What one saved object of Kibana needs of another. */
export interface Reference {
  readonly type: SavedObjectType
  readonly id: string
  /** The place where it is needed, as the object's own attributes name it. */
  readonly name: string
}

export type SavedObjectType = 'index-pattern' | 'search' | 'dashboard'

/** One line of an export of Kibana. `index-pattern` is what Kibana's pages call a data view. */
export interface SavedObject {
  readonly type: SavedObjectType
  readonly id: string
  readonly attributes: Readonly<Record<string, unknown>> & { readonly title: string }
  readonly references: readonly Reference[]
  readonly managed: false
  readonly coreMigrationVersion: string
  /** The version of the type's shape. Kibana migrates from it, so that one file fits all versions from then on. */
  readonly typeMigrationVersion: string
}

const CORE_VERSION = '8.8.0'
const TYPE_VERSIONS: Readonly<Record<SavedObjectType, string>> = {
  'index-pattern': '8.0.0',
  search: '7.9.3',
  dashboard: '8.7.0',
}

/** Completes what all objects have in common. */
export function savedObject(
  type: SavedObjectType,
  id: string,
  attributes: SavedObject['attributes'],
  references: readonly Reference[] = [],
): SavedObject {
  return {
    type,
    id,
    attributes,
    references,
    managed: false,
    coreMigrationVersion: CORE_VERSION,
    typeMigrationVersion: TYPE_VERSIONS[type],
  }
}

/** The file that Kibana imports: one object a line. */
export function toNdjson(objects: readonly SavedObject[]): string {
  return objects.map((object) => `${JSON.stringify(object)}\n`).join('')
}
