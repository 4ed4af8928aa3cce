import { TIME } from './fields.ts'
import { type SavedObject, savedObject } from './saved-object.ts'

export interface Search {
  readonly id: string
  readonly title: string
  readonly description: string
  readonly dataViewId: string
  /** KQL; empty for everything. */
  readonly query: string
  readonly columns: readonly string[]
  /** The newest first when absent. */
  readonly order?: 'asc' | 'desc'
}

const DATA_VIEW = 'kibanaSavedObjectMeta.searchSourceJSON.index'

/** A saved search, for Discover and as a panel. */
export function searchObject(search: Search): SavedObject {
  const { id, title, description, dataViewId, query, columns, order = 'desc' } = search
  const source = {
    highlightAll: true,
    version: true,
    query: { query, language: 'kuery' },
    filter: [],
    indexRefName: DATA_VIEW,
  }
  return savedObject(
    'search',
    id,
    {
      title,
      description,
      columns,
      sort: [[TIME, order]],
      hits: 0,
      version: 1,
      kibanaSavedObjectMeta: { searchSourceJSON: JSON.stringify(source) },
    },
    [{ type: 'index-pattern', id: dataViewId, name: DATA_VIEW }],
  )
}
