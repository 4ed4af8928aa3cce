import { status } from '@grpc/grpc-js'
import { GrpcClient } from '../../e2e/grpc-client.ts'
import { makeRequest } from '../../support/requests.ts'
import type { LivePorts } from './receiver.ts'

const REQUEST = makeRequest({ records: 3 })
const PATIENCE_MS = 2_000

/** A client that behaves, beside those that do not: it must be served, over gRPC on one connection all the time. */
export class Neighbour {
  readonly #ports: LivePorts
  readonly #client: GrpcClient
  slowestMs = 0

  constructor(ports: LivePorts) {
    this.#ports = ports
    this.#client = new GrpcClient(ports.grpc)
  }

  /** @throws Error where it is not served */
  async ask(): Promise<void> {
    const started = performance.now()
    const [code, response] = await Promise.all([
      this.#client.export(REQUEST),
      fetch(`http://127.0.0.1:${this.#ports.http}/v1/logs`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf' },
        body: new Uint8Array(REQUEST),
        signal: AbortSignal.timeout(PATIENCE_MS),
      }),
    ])
    await response.arrayBuffer()
    this.slowestMs = Math.max(this.slowestMs, performance.now() - started)
    if (code !== status.OK || response.status !== 200)
      throw new Error(`a neighbour is answered ${status[code]} and ${response.status}`)
  }

  close(): void {
    this.#client[Symbol.dispose]()
  }
}
