import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'

export interface Proxy extends AsyncDisposable {
  readonly url: string
  /** Lets the next command that holds `text` through, then cuts the connection instead of passing its answer on. */
  loseAnswerTo(text: string | Buffer): void
  /** Answers lost so far. */
  readonly lost: number
}

/** Stands between a client and a server on this machine. */
export async function startProxy(port: number): Promise<Proxy> {
  let awaited: string | Buffer | undefined
  let lost = 0
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    let cutting = false
    const end = (): void => {
      client.destroy()
      upstream.destroy()
    }
    client.on('data', (chunk) => {
      if (awaited !== undefined && chunk.includes(awaited)) {
        awaited = undefined
        cutting = true
      }
      upstream.write(chunk)
    })
    upstream.on('data', (chunk) => {
      if (!cutting) {
        client.write(chunk)
        return
      }
      lost++
      end()
    })
    for (const socket of [client, upstream]) socket.on('close', end).on('error', end)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    loseAnswerTo(text) {
      awaited = text
    },
    get lost() {
      return lost
    },
    async [Symbol.asyncDispose]() {
      server.close()
    },
  }
}
