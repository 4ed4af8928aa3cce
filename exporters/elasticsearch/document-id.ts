import { createHash } from 'node:crypto'
import type { Part } from '../../src/logs/data.ts'

/** Longer ids are refused by Elasticsearch, and the request with them. */
const MAX_BYTES = 512

/** How documents get their ids. */
export interface IdOptions {
  /** An `elasticsearch.document_id` attribute counts. */
  readonly attribute: boolean
  /** Otherwise an id follows from the request; without that Elasticsearch makes one, and what is sent again is there twice. */
  readonly batch: boolean
}

/** The JSON text, without quotes, of an id that an attribute asks for; too long a one by its hash. */
export function attributeId(id: string): string {
  const short = Buffer.byteLength(id) > MAX_BYTES ? createHash('sha256').update(id).digest('base64url') : id
  return JSON.stringify(short).slice(1, -1)
}

/** The beginning of the ids of a part's documents; a record's position completes it. */
export function batchIdHead({ id }: Pick<Part, 'id'>): string {
  return `${Buffer.from(id ?? []).toString('base64url')}-`
}
