import { createServer, type Server as SocketServer } from 'node:net'
import type { handleUnaryCall, Server, ServerInterceptor, sendUnaryData } from '@grpc/grpc-js'
import type { GrpcSettings } from './config.ts'
import type { Counts } from './counts.ts'
import type { Intake } from './intake.ts'
import { addressText, closedBy, type Listener, listen } from './listen.ts'
import type { Outcome } from './outcome.ts'
import { encodeStatus, encodeSuccess } from './status.ts'

const EXPORT = '/opentelemetry.proto.collector.logs.v1.LogsService/Export'
const MIB = 1024 * 1024

type Grpc = typeof import('@grpc/grpc-js')

/** Serves OTLP/gRPC: https://opentelemetry.io/docs/specs/otlp/#otlpgrpc. Messages stay the bytes they came as. */
export async function serveGrpc(settings: GrpcSettings, intake: Intake, counts: Counts): Promise<Listener> {
  const grpc = await import('@grpc/grpc-js')
  const server = new grpc.Server({
    'grpc.max_receive_message_length': settings.max_recv_msg_size_mib * MIB,
    'grpc.max_concurrent_streams': settings.max_concurrent_streams,
    interceptors: [countUnread(grpc, counts)],
  })
  register(grpc, server, (message) => intake.take(() => message, counts))

  // The library's own bindAsync takes a name's second address when the first is in use, and says so on standard error.
  const connections = server.createConnectionInjector(grpc.ServerCredentials.createInsecure())
  const sockets = createServer({ noDelay: true }, (socket) => connections.injectConnection(socket))
  const address = await listen(sockets, 'gRPC', settings.endpoint)
  let closed: Promise<void> | undefined
  return {
    address: addressText(address),
    port: address.port,
    stop(deadline) {
      closed ??= close(server, sockets)
      return closedBy(deadline, closed, () => server.forceShutdown())
    },
  }
}

function register(grpc: Grpc, server: Server, take: (message: Buffer) => Promise<Outcome>): void {
  const asItIs = (bytes: Buffer): Buffer => bytes
  const service = {
    export: {
      path: EXPORT,
      requestStream: false,
      responseStream: false,
      requestSerialize: asItIs,
      requestDeserialize: asItIs,
      responseSerialize: asItIs,
      responseDeserialize: asItIs,
    },
  }
  const answer = (outcome: Outcome, callback: sendUnaryData<Buffer>): void => {
    if (outcome.ok) {
      callback(null, encodeSuccess(outcome))
      return
    }
    const metadata = new grpc.Metadata()
    metadata.set('grpc-status-details-bin', encodeStatus(outcome))
    callback({ code: outcome.code, details: outcome.message, metadata })
  }
  const handle: handleUnaryCall<Buffer, Buffer> = (call, callback) => {
    void take(call.request).then((outcome) => answer(outcome, callback))
  }
  server.addService(service, { export: handle })
}

/** The library itself answers a request that is too large or badly compressed; no handler hears of it. */
function countUnread({ ServerInterceptingCall }: Grpc, counts: Counts): ServerInterceptor {
  return (_method, call) => {
    let read = false
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveHalfClose: (proceed) => {
            read = true
            proceed()
          },
          onCancel: () => {
            if (!read) counts.countUnread()
          },
        }),
    })
  }
}

async function close(server: Server, sockets: SocketServer): Promise<void> {
  const stopped = new Promise((resolve) => sockets.close(resolve))
  await new Promise<void>((resolve) => server.tryShutdown(() => resolve()))
  await stopped
}
