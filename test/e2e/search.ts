import { randomBytes } from 'node:crypto'

/** A document as Elasticsearch returns it. */
export interface Hit {
  readonly _id: string
  readonly _index: string
  readonly _source: {
    readonly '@timestamp': string
    readonly trace_id?: string
    readonly span_id?: string
    readonly severity_text?: string
    readonly body?: { readonly text?: string }
    readonly attributes: Readonly<Record<string, unknown>>
    readonly resource: { readonly attributes: Readonly<Record<string, unknown>> }
  }
}

const PAGE = 10_000

/** A data stream of its own on the shared Elasticsearch. */
export class DataStream {
  /** For the resource attribute `data_stream.dataset`. */
  readonly dataset = `e2e_${randomBytes(4).toString('hex')}`
  readonly name = `logs-${this.dataset}.otel-default`
  readonly #url: string

  private constructor(url: string) {
    this.#url = url
  }

  /** Makes the template that lets bulk requests create the data stream. */
  static async create(url: string, properties: object = {}): Promise<DataStream> {
    const stream = new DataStream(url)
    await stream.#putTemplate(properties)
    return stream
  }

  /** Changes the mapping, as an operator does: in the template, and by a rollover that puts it in force. */
  async remap(properties: object): Promise<void> {
    await this.#putTemplate(properties)
    await this.#call('POST', `/${this.name}/_rollover`)
  }

  #putTemplate(properties: object): Promise<unknown> {
    return this.#call('PUT', `/_index_template/${this.dataset}`, {
      index_patterns: [`logs-${this.dataset}.otel-*`, `logs-${this.dataset}-*`],
      priority: 500,
      data_stream: {},
      template: {
        settings: { number_of_replicas: 0 },
        mappings: { properties: { '@timestamp': { type: 'date_nanos' }, ...properties } },
      },
    })
  }

  async count(): Promise<number> {
    await this.#call('POST', `/${this.name}/_refresh?ignore_unavailable=true`)
    const { count } = (await this.#call('GET', `/${this.name}/_count?ignore_unavailable=true`)) as {
      count: number
    }
    return count
  }

  /** Every document of the stream, 10,000 at most. */
  async all(): Promise<Hit[]> {
    await this.#call('POST', `/${this.name}/_refresh`)
    const { hits } = (await this.#call('POST', `/${this.name}/_search`, { size: PAGE })) as {
      hits: { hits: Hit[] }
    }
    return hits.hits
  }

  async #call(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(this.#url + path, {
      method,
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
    if (!response.ok)
      throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`)
    return response.json()
  }
}
