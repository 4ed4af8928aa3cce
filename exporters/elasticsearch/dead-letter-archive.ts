import type { KeptLetter, LetterArchive, Times } from '../../src/buffer/admin.ts'
import type { Client } from './client/client.ts'
import { Requests } from './dead-letter-requests.ts'

interface Hit {
  readonly _index: string
  readonly _id: string
  readonly _source: {
    readonly otlp?: string
    readonly target?: { readonly index: string; readonly id?: string }
  }
}

interface Page {
  readonly _scroll_id?: string
  readonly hits: { readonly hits: readonly Hit[] }
}

const PAGE = 100
/** For how long a page may be worked on. */
const KEEP_ALIVE = '10m'

/**
 * The dead letters in a data stream. Read by scrolling, which all servers know, minimal ones and OpenSearch too, and
 * which goes on over what was there at its start. Deleted by id in the index that each lies in: a data stream does not
 * take deletions, and `_delete_by_query` is not everywhere.
 */
export class DeadLetterArchive implements LetterArchive {
  readonly #client: Client
  readonly #requests: Requests
  readonly #dataStream: string

  /** The client is closed with the archive. */
  constructor(client: Client, dataStream: string) {
    this.#client = client
    this.#requests = new Requests(client)
    this.#dataStream = dataStream
  }

  async *pages({ since, until }: Times): AsyncGenerator<readonly KeptLetter[], void, undefined> {
    const path = `/${encodeURIComponent(this.#dataStream)}`
    // So that what was just written is seen, and what was deleted is not; who may not ask for it waits a second.
    await this.#requests.send('POST', `${path}/_refresh`)
    let page = (await this.#requests.ask('POST', `${path}/_search`, {
      query: { scroll: KEEP_ALIVE, ignore_unavailable: 'true', allow_partial_search_results: 'false' },
      body: {
        size: PAGE,
        sort: [{ '@timestamp': { order: 'asc', unmapped_type: 'date' } }],
        query: { range: { '@timestamp': { gte: since, lt: until, format: 'epoch_millis' } } },
        _source: ['otlp', 'target'],
      },
    })) as Page
    try {
      while (page.hits.hits.length > 0) {
        yield page.hits.hits.map(letterOf)
        page = (await this.#requests.ask('POST', '/_search/scroll', {
          body: { scroll: KEEP_ALIVE, scroll_id: page._scroll_id },
        })) as Page
      }
    } finally {
      if (page._scroll_id !== undefined) {
        await this.#requests.send('DELETE', '/_search/scroll', { body: { scroll_id: page._scroll_id } })
      }
    }
  }

  async remove(letters: readonly KeptLetter[]): Promise<number> {
    const actions = letters.map(({ key }) => `{"delete":${key}}\n`)
    const { items } = (await this.#requests.ask('POST', '/_bulk', {
      query: { filter_path: 'items.*.status,items.*.error.type' },
      body: actions.join(''),
    })) as { items: readonly { readonly delete: { status: number; error?: { type?: string } } }[] }
    const failed = items.map((item) => item.delete).filter(({ status }) => status >= 300 && status !== 404)
    if (failed.length > 0) {
      const [{ status, error }] = failed
      throw new Error(
        `${failed.length} dead letters of ${this.#dataStream} could not be deleted: ${status} ${error?.type ?? ''}`,
      )
    }
    return items.filter((item) => item.delete.status < 300).length
  }

  close(): Promise<void> {
    return this.#client.close()
  }
}

function letterOf({ _index, _id, _source: { otlp = '', target } }: Hit): KeptLetter {
  return {
    key: JSON.stringify({ _index, _id }),
    stream: '',
    element: Buffer.from(otlp, 'base64'),
    ...(target && { document: { index: target.index, id: target.id } }),
  }
}
