import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'

/** An OTLP endpoint in a process of its own, which takes everything and keeps nothing. Gives its URL. */
export async function startNullCollector(): Promise<string> {
  const child = fork(fileURLToPath(import.meta.url), ['serve'])
  process.once('exit', () => child.kill())
  const [url] = (await once(child, 'message')) as [string]
  child.unref()
  child.channel?.unref()
  return url
}

if (process.argv[2] === 'serve') {
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
    })
  }).listen(0, '127.0.0.1', () => {
    process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  })
  process.once('disconnect', () => process.exit())
}
