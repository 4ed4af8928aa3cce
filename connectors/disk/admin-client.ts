import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { json } from 'node:stream/consumers'
import type { Amount, BufferAdmin, BufferStats, KeptLetter, QueueName } from '../../src/buffer/admin.ts'
import type { Codec } from '../../src/buffer/codec.ts'
import type { Element } from '../../src/buffer/group-commit.ts'
import { packed } from '../../src/buffer/letters.ts'
import type { LogBatch } from '../../src/logs/batch.ts'
import { type AdminCalls, type LettersAnswer, type SentElement, withSocketPath } from './admin-socket.ts'

/** Administers a folder that another process has open, through that process. */
export class AdminClient implements BufferAdmin {
  readonly codec: Codec
  readonly elementBytes: number
  readonly #directory: string

  constructor(directory: string, codec: Codec, elementBytes: number) {
    this.#directory = directory
    this.codec = codec
    this.elementBytes = elementBytes
  }

  stats(): Promise<BufferStats> {
    return this.#call('stats', {}) as Promise<BufferStats>
  }

  async peek({ group }: QueueName, limit: number): Promise<Buffer[]> {
    const elements = (await this.#call('peek', { group, limit })) as string[]
    return elements.map((element) => Buffer.from(element, 'base64'))
  }

  purge({ group }: QueueName): Promise<Amount> {
    return this.#call('purge', { group }) as Promise<Amount>
  }

  async *letters(): AsyncGenerator<KeptLetter, void, undefined> {
    let [from, end]: [number, number | undefined] = [0, undefined]
    for (;;) {
      const answer = (await this.#call('letters', { from, end })) as LettersAnswer
      if (answer.letters.length === 0) return
      for (const { key, element } of answer.letters) {
        yield { key, stream: '', element: Buffer.from(element, 'base64') }
        from = Number.parseInt(key, 10) + 1
      }
      end = answer.end
    }
  }

  replay({ key }: KeptLetter, { group }: QueueName, elements: readonly Element[]): Promise<boolean> {
    return this.#call('replay', { key, group, elements: elements.map(asSent) }) as Promise<boolean>
  }

  drop({ key }: KeptLetter): Promise<boolean> {
    return this.#call('drop', { key }) as Promise<boolean>
  }

  async enqueue(group: string, batch: LogBatch): Promise<void> {
    const elements = packed(batch, this.codec, this.elementBytes)
    await this.#call('enqueue', { group, elements: elements.map(asSent) })
  }

  async close(): Promise<void> {}

  /** Throws what went wrong there, or here: `ECONNREFUSED` or `ENOENT` where no process listens. */
  #call<Name extends keyof AdminCalls>(name: Name, given: AdminCalls[Name]): Promise<unknown> {
    return withSocketPath(this.#directory, async (socketPath) => {
      const sent = request({ socketPath, path: `/${name}`, method: 'POST' })
      sent.end(JSON.stringify(given))
      const response = await responseOf(sent)
      if (response.statusCode === 404)
        throw new Error(`the process that has ${this.#directory} open is of another version`)
      const result = await json(response)
      if (response.statusCode === 200) return result
      throw new Error((result as { message: string }).message)
    })
  }
}

const asSent = ({ bytes, records }: Element): SentElement => ({ bytes: bytes.toString('base64'), records })

function responseOf(sent: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once('response', resolve)
    sent.once('error', reject)
  })
}
