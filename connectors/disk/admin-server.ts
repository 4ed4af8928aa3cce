import { chmod, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import type { Logger } from 'pino'
import type { Element } from '../../src/buffer/group-commit.ts'
import type { DiskAdmin } from './admin.ts'
import { type AdminCalls, type LettersAnswer, type SentElement, withSocketPath } from './admin-socket.ts'

/** Bytes of dead letters in one answer, about. */
const ANSWER_BYTES = 4 * 1024 * 1024

/** Serves the administration of a folder to the commands of its owner, who cannot open the folder while this process has it. */
export class AdminServer {
  readonly #server: Server
  readonly #directory: string

  private constructor(server: Server, directory: string) {
    this.#server = server
    this.#directory = directory
  }

  /** Where the socket cannot be made, it only says so: a buffer works without. */
  static async start(directory: string, admin: DiskAdmin, log: Logger): Promise<AdminServer | undefined> {
    const server = createServer((request, response) => void answer(admin, request, response))
    try {
      await withSocketPath(directory, async (path) => {
        // What a killed process has left; the folder is ours.
        await rm(path, { force: true })
        await new Promise<void>((resolve, reject) => {
          server.once('error', reject)
          server.listen(path, resolve)
        })
        await chmod(path, 0o600)
      })
    } catch (err) {
      log.warn({ err }, 'no administration socket: sluice dlq and sluice buffer cannot reach this process')
      server.close()
      return undefined
    }
    server.unref()
    return new AdminServer(server, directory)
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
    await withSocketPath(this.#directory, (path) => rm(path, { force: true }))
  }
}

async function answer(admin: DiskAdmin, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const call = CALLS[request.url?.slice(1) as keyof AdminCalls] as Call<object> | undefined
    if (request.method !== 'POST' || call === undefined) {
      response.writeHead(404).end()
      return
    }
    const result = await call(admin, (await json(request)) as object)
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result))
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    response.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify({ message }))
  }
}

type Call<Arguments> = (admin: DiskAdmin, given: Arguments) => Promise<unknown>

const NOTHING = Buffer.alloc(0)

const CALLS: { readonly [Name in keyof AdminCalls]: Call<AdminCalls[Name]> } = {
  stats: (admin) => admin.stats(),
  peek: async (admin, { group, limit }) =>
    (await admin.peek({ stream: '', group }, limit)).map((element) => element.toString('base64')),
  purge: (admin, { group }) => admin.purge({ stream: '', group }),
  letters: async (admin, { from, end = admin.lettersEnd }): Promise<LettersAnswer> => {
    const letters = await admin.lettersFrom(from, end, ANSWER_BYTES)
    return {
      letters: letters.map(({ key, element }) => ({ key, element: element.toString('base64') })),
      end,
    }
  },
  replay: (admin, { key, group, elements }) =>
    admin.replay({ key, stream: '', element: NOTHING }, { stream: '', group }, elements.map(received)),
  drop: (admin, { key }) => admin.drop({ key, stream: '', element: NOTHING }),
  enqueue: async (admin, { group, elements }) => {
    await admin.append(group, elements.map(received))
    return true
  },
}

function received({ bytes, records }: SentElement): Element {
  return { bytes: Buffer.from(bytes, 'base64'), records }
}
