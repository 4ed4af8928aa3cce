import { DataStream } from '../../e2e/search.ts'
import { Documents } from './documents.ts'
import type { Destination } from './path.ts'
import { hashOf } from './payload.ts'

const PAGE = 10_000
/** Nothing but the number is looked for, and a million documents are indexed the sooner. */
const PROPERTIES = {
  attributes: { dynamic: false, properties: { seq: { type: 'long' } } },
  body: { type: 'object', enabled: false },
}

interface Page {
  readonly hits: {
    readonly hits: readonly {
      readonly _id: string
      readonly _source: {
        readonly body: { readonly text: string }
        readonly attributes: { readonly seq: number; readonly note: string }
      }
    }[]
  }
}

/** A data stream of its own in a real Elasticsearch. */
export interface RealSink extends Destination {
  /** For `logs_index`. */
  readonly stream: string
  /** How many documents there are. */
  count(): Promise<number>
  /** How often the server answered 409 since it started. */
  conflicts(): Promise<number>
  /** All documents, read one by one. */
  read(): Promise<Documents>
}

export async function makeRealSink(url: string): Promise<RealSink> {
  const stream = await DataStream.create(url, PROPERTIES)
  const documents = new Documents(false)
  const call = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${url}/${stream.name}/${path}`, {
      method,
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return response.json()
  }
  return {
    url,
    documents,
    stream: stream.name,
    count: () => stream.count(),
    async conflicts() {
      const { _all } = (await call('GET', '_stats/indexing')) as {
        _all: { primaries: { indexing: { index_failed_due_to_version_conflict: number } } }
      }
      return _all.primaries.indexing.index_failed_due_to_version_conflict
    },
    async read() {
      await call('POST', '_refresh')
      for (let after: number | undefined = -1; after !== undefined; ) {
        const { hits } = (await call('POST', '_search', {
          size: PAGE,
          sort: [{ 'attributes.seq': 'asc' }],
          search_after: [after],
          track_total_hits: false,
          _source: ['body', 'attributes'],
        })) as Page
        for (const { _id, _source } of hits.hits) {
          const { body, attributes } = _source
          documents.create({ id: _id, seq: attributes.seq, hash: hashOf(body.text, attributes.note) })
        }
        after = hits.hits.at(-1)?._source.attributes.seq
      }
      return documents
    },
  }
}
