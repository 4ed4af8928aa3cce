import type { IncomingHttpHeaders } from 'node:http'
import { createServer, type Socket, type Server as SocketServer } from 'node:net'
import { createServer as createSecureServer, type PeerCertificate } from 'node:tls'
import {
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServerOptions,
  type sendUnaryData,
} from '@grpc/grpc-js'
import type { GrpcSettings } from '../config.ts'
import type { Counts } from '../counts.ts'
import { type Door, NOBODY, type Sender } from '../door/door.ts'
import type { Entrance } from '../entrance.ts'
import type { Incoming, Intake } from '../intake.ts'
import type { Hold } from '../limits/in-flight.ts'
import { closedBy, type Listener, listen } from '../listen/listen.ts'
import { Code, type Failure, type Outcome, type RefusalReason, refused } from '../outcome.ts'
import { encodeStatus, encodeSuccess } from '../status.ts'
import { EXPORT, MIB } from './serve.ts'
import { GrpcJsServices } from './services/grpc-js.ts'
import type { Methods } from './services/method.ts'

/** Serves OTLP/gRPC with the library of the gRPC project. */
export async function serve(
  settings: GrpcSettings,
  { intake, counts, limits, connections: all, guard: { certificates, door } }: Entrance,
  methods: Methods,
): Promise<Listener> {
  const senders = new WeakMap<Metadata, Sender>()
  const knock = knockAt(door, intake, senders)
  const server = new Server({ ...options(settings), interceptors: [countUnread(counts, knock)] })
  register(server, (message, metadata) => {
    const sender = senders.get(metadata) ?? NOBODY
    return intake.take(new Message(message, sender, limits.inFlight.hold()), counts)
  })
  const services = new GrpcJsServices(methods)
  // The library refuses a service of no methods.
  if (methods.size > 0) server.addService(services.definition, services.implementation)

  // The library's own bindAsync takes a name's second address when the first is in use, and says so on standard error.
  const connections = server.createConnectionInjector(ServerCredentials.createInsecure())
  const take = (socket: Socket): void => connections.injectConnection(socket)
  const sockets = certificates
    ? createSecureServer({ ...certificates.options, ALPNProtocols: ['h2'], noDelay: true }, take)
    : createServer({ noDelay: true }, take)
  certificates?.serve(sockets)
  all.guard(sockets)
  const listening = await listen(sockets, 'gRPC', settings.endpoint)
  let closed: Promise<void> | undefined
  return {
    ...listening,
    stop(deadline) {
      services.leave()
      closed ??= close(server, sockets)
      return closedBy(deadline, closed, () => server.forceShutdown())
    },
  }
}

function options({ max_recv_msg_size_mib, max_concurrent_streams, keepalive }: GrpcSettings): ServerOptions {
  const { max_connection_idle, max_connection_age, max_connection_age_grace, time, timeout } =
    keepalive.server_parameters
  // To the library, leaving an option out is what 0 is in the settings: never.
  const unlessNever = (name: keyof ServerOptions, value: number): ServerOptions =>
    value === 0 ? {} : { [name]: value }
  return {
    'grpc.max_receive_message_length': max_recv_msg_size_mib * MIB,
    'grpc.max_concurrent_streams': max_concurrent_streams,
    'grpc.keepalive_timeout_ms': timeout,
    ...unlessNever('grpc.keepalive_time_ms', time),
    ...unlessNever('grpc.max_connection_idle_ms', max_connection_idle),
    ...unlessNever('grpc.max_connection_age_ms', max_connection_age),
    ...unlessNever('grpc.max_connection_age_grace_ms', max_connection_age_grace),
  }
}

class Message implements Incoming {
  readonly sender: Sender
  readonly hold: Hold
  readonly #bytes: Buffer

  constructor(bytes: Buffer, sender: Sender, hold: Hold) {
    this.#bytes = bytes
    this.sender = sender
    this.hold = hold
  }

  /**
   * The library has read it, and decompressed it, before anybody could ask for the memory: that is also what counts among
   * the bytes of the tenant.
   */
  read(): Buffer {
    this.sender.allowance?.take({ bytes: this.#bytes.length })
    this.hold.take(this.#bytes.length)
    return this.#bytes
  }

  /** The bytes are the library's. */
  giveBack(): void {}
}

function register(server: Server, take: (message: Buffer, metadata: Metadata) => Promise<Outcome>): void {
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
  const handle: handleUnaryCall<Buffer, Buffer> = (call, callback) => {
    void take(call.request, call.metadata).then((outcome) => answer(outcome, callback))
  }
  server.addService(service, { export: handle })
}

function answer(outcome: Outcome, callback: sendUnaryData<Buffer>): void {
  if (outcome.ok) {
    callback(null, encodeSuccess(outcome))
    return
  }
  callback(statusOf(outcome))
}

function statusOf(failure: Failure): { code: number; details: string; metadata: Metadata } {
  const metadata = new Metadata()
  metadata.set('grpc-status-details-bin', encodeStatus(failure))
  return { code: failure.code, details: failure.message, metadata }
}

/** Lets a call in, or says why not. */
type Knock = (
  metadata: Metadata,
  certificate: () => PeerCertificate | undefined,
) => Promise<Failure | undefined>

function knockAt(door: Door, intake: Intake, senders: WeakMap<Metadata, Sender>): Knock {
  return async (metadata, certificate) => {
    try {
      const headers = metadata.getMap() as IncomingHttpHeaders
      senders.set(metadata, await door.admit({ headers, certificate }))
    } catch (error) {
      const outcome = intake.outcomeOf(error, 0)
      if (!outcome.ok) return outcome
    }
    return undefined
  }
}

/** What the library means by the codes of the answers that it gives itself. */
const REASONS: ReadonlyMap<number, RefusalReason> = new Map([
  [Code.deadlineExceeded, 'timeout'],
  [Code.resourceExhausted, 'too_large'],
])

/**
 * The library itself answers a request that is too large or badly compressed; no handler hears of it. Nor does one of a
 * call that is not let in.
 */
function countUnread(counts: Counts, knock: Knock): ServerInterceptor {
  return (method, call) => {
    if (method.path !== EXPORT) return new ServerInterceptingCall(call)
    let messages = 0
    let open = true
    const count = (reason: RefusalReason): void => {
      if (open) counts.count(refused(reason, ''), 0)
      open = false
    }
    const sendStatus = call.sendStatus.bind(call)
    call.sendStatus = (status) => {
      const unsupported = status.details?.includes('unsupported encoding') ? 'content_encoding' : 'malformed'
      count(REASONS.get(status.code ?? 0) ?? unsupported)
      sendStatus(status)
    }
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, proceed) => {
            const certificate = () => call.getAuthContext().sslPeerCertificate
            void knock(metadata, certificate).then((failure) => {
              if (failure === undefined) proceed(metadata)
              else if (open) {
                open = false
                counts.count(failure, 0)
                sendStatus(statusOf(failure))
              }
            })
          },
          onReceiveMessage: (message, proceed) => {
            messages++
            proceed(message)
          },
          onReceiveHalfClose: (proceed) => {
            // From here on the handler has it, and the intake counts.
            if (messages === 1) open = false
            proceed()
          },
          onCancel: () => count('disconnected'),
        }),
    })
  }
}

async function close(server: Server, sockets: SocketServer): Promise<void> {
  const stopped = new Promise((resolve) => sockets.close(resolve))
  await new Promise<void>((resolve) => server.tryShutdown(() => resolve()))
  await stopped
}
