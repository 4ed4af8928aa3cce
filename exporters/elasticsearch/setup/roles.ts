import { type Asset, META } from './asset.ts'
import type { Reader } from './config.ts'
import type { Json } from './request.ts'

/** May create documents and the data streams for them; what is there it neither reads nor changes. */
export function writerRole(prefix: string, patterns: readonly string[]): Asset {
  return role(`${prefix}_writer`, ['monitor'], {
    names: patterns,
    privileges: ['create_doc', 'auto_configure', 'view_index_metadata'],
  })
}

/** May read the data streams of a team. */
export function readerRole(name: string, patterns: readonly string[], reader: Reader): Asset {
  const { query, fields, except_fields } = reader
  return role(name, [], {
    names: patterns,
    privileges: ['read', 'view_index_metadata'],
    ...(query && { query: JSON.stringify(query) }),
    ...((fields || except_fields) && {
      field_security: { grant: fields ?? ['*'], ...(except_fields && { except: except_fields }) },
    }),
  })
}

/** Whether a role hides documents or fields, which servers only do with a licence. */
export function wantsLicence({ query, fields, except_fields }: Reader): boolean {
  return query !== undefined || fields !== undefined || except_fields !== undefined
}

function role(name: string, cluster: readonly string[], indices: Json): Asset {
  return { kind: 'role', name, body: { cluster, indices: [indices], metadata: META } }
}
