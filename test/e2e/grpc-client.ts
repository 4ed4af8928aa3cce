import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'

const EXPORT = '/opentelemetry.proto.collector.logs.v1.LogsService/Export'
const TIMEOUT = 10_000
const RETRY_PAUSE = 100

/** An OTLP/gRPC client with a connection of its own. */
export class GrpcClient implements Disposable {
  readonly #client: Client

  constructor(port: number) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      // Clients of one process would share a connection otherwise.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.min_reconnect_backoff_ms': 50,
      'grpc.max_reconnect_backoff_ms': 200,
    })
  }

  /** Sends one request; resolves with the status code of the answer. */
  async export(bytes: Buffer): Promise<status> {
    return (await this.refusal(bytes))?.code ?? status.OK
  }

  /** Sends one request; resolves with why it was refused, or undefined when it was acknowledged. */
  refusal(bytes: Buffer): Promise<ServiceError | undefined> {
    const asItIs = (message: Buffer): Buffer => message
    return new Promise((resolve) => {
      const done = (error: ServiceError | null): void => resolve(error ?? undefined)
      const deadline = Date.now() + TIMEOUT
      this.#client.makeUnaryRequest(EXPORT, asItIs, asItIs, bytes, new Metadata(), { deadline }, done)
    })
  }

  /** Sends a request again and again until it is acknowledged, as an SDK with endless patience would. */
  async exportUntilAccepted(bytes: Buffer): Promise<void> {
    for (;;) {
      const code = await this.export(bytes)
      if (code === status.OK) return
      if (![status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.CANCELLED].includes(code))
        throw new Error(`the request was answered with ${status[code]}`)
      await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE))
    }
  }

  [Symbol.dispose](): void {
    this.#client.close()
  }
}
