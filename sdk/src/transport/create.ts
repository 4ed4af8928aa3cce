import type { Diagnostics } from '../pipe/options.ts'
import { type Answer, oneLine, type Transport } from './answer.ts'
import type { Destination } from './destination.ts'
import { HttpTransport } from './http.ts'

/** The transport of a destination's protocol. Nothing is connected before the first request. */
export function createTransport(destination: Destination, diagnostics: Diagnostics): Transport {
  return destination.protocol === 'grpc'
    ? new LazyGrpc(destination, diagnostics)
    : new HttpTransport(destination, diagnostics)
}

/** Loads the gRPC library with the first request: applications that use HTTP, or log nothing, start without it. */
class LazyGrpc implements Transport {
  readonly #load: () => Promise<Transport>
  #loading: Promise<Transport> | undefined
  #closed = false

  constructor(destination: Destination, diagnostics: Diagnostics) {
    this.#load = async () => {
      const { GrpcTransport } = await import('./grpc.ts')
      return new GrpcTransport(destination, diagnostics)
    }
  }

  async send(request: Buffer): Promise<Answer> {
    try {
      const transport = await (this.#loading ??= this.#load())
      if (!this.#closed) return await transport.send(request)
      return { kind: 'retryable', reason: 'closed', message: 'the pipe is closed', waitMillis: undefined }
    } catch (error) {
      return { kind: 'retryable', reason: 'grpc', message: oneLine(String(error)), waitMillis: undefined }
    }
  }

  close(): void {
    this.#closed = true
    this.#loading?.then(
      (transport) => transport.close(),
      () => {},
    )
  }
}
