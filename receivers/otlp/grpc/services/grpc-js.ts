import type { ServerDuplexStream, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js'
import { MalformedError } from '../../../../src/logs/wire.ts'
import { type Failure, refused, retryLater } from '../../outcome.ts'
import type { Conversation, Method, Methods } from './method.ts'

/** The methods as the library of the gRPC project serves them. */
export class GrpcJsServices {
  readonly definition: ServiceDefinition
  readonly implementation: UntypedServiceImplementation
  readonly #open = new Set<(failure: Failure) => void>()

  constructor(methods: Methods) {
    const asItIs = (bytes: Buffer): Buffer => bytes
    // On the wire a unary call is a stream of one message.
    const streams = { requestStream: true, responseStream: true } as const
    const bytes = {
      requestSerialize: asItIs,
      requestDeserialize: asItIs,
      responseSerialize: asItIs,
      responseDeserialize: asItIs,
    }
    const entries = [...methods]
    this.definition = Object.fromEntries(entries.map(([path]) => [path, { path, ...streams, ...bytes }]))
    this.implementation = Object.fromEntries(
      entries.map(([path, method]) => [
        path,
        (call: ServerDuplexStream<Buffer, Buffer>) => this.#serve(call, method),
      ]),
    )
  }

  /** Ends the calls that may last for ever. */
  leave(): void {
    for (const end of this.#open) end(retryLater('stopping', 'the connection is being closed'))
  }

  #serve(call: ServerDuplexStream<Buffer, Buffer>, method: Method): void {
    let over = false
    const close = (): void => {
      if (over) return
      over = true
      this.#open.delete(end)
      conversation.closed()
    }
    const end = (failure?: Failure): void => {
      if (over) return
      close()
      if (failure) call.emit('error', { code: failure.code, details: failure.message })
      else call.end()
    }
    const conversation: Conversation = method({ send: (message) => call.write(message), end })
    this.#open.add(end)
    call.on('data', (message: Buffer) => {
      try {
        if (!over) conversation.message(message)
      } catch (error) {
        if (!(error instanceof MalformedError)) throw error
        end(refused('malformed', error.message))
      }
    })
    call.on('end', () => {
      if (!over) conversation.end()
    })
    call.on('cancelled', close)
  }
}
