import { z } from 'zod'
import { Auth } from '../../src/config/auth.ts'
import { advice, bytes, duration } from '../../src/config/fields.ts'
import { serverTls } from '../../src/config/server-tls.ts'
import { rateLimits } from './door/rate-limit-config.ts'
import { checkTenant, tenant } from './door/tenant-config.ts'
import { httpShape } from './http/config.ts'
import { limitsConfig } from './limits/config.ts'
import { agrees, DISAGREES, listenAt, transport } from './listen/endpoint.ts'

const guard = {
  tls: serverTls().optional().describe('Serves over TLS, 1.2 and newer.'),
  auth: Auth.optional().describe('Who may send; everybody who reaches the endpoint without it.'),
}

const BUFFERS = 'Node sizes its buffers itself: leave this out'
const METADATA = 'headers of requests are not kept with records: leave this out'
const MIDDLEWARES = 'there are no middlewares: leave this out'

const serverParameters = z.strictObject({
  max_connection_idle: duration()
    .prefault('0s')
    .describe('Ends a connection that has had no request for this long; 0s never does.'),
  max_connection_age: duration()
    .prefault('0s')
    .describe(
      'Ends a connection after this long, give or take a tenth, so that clients spread anew over several processes; 0s never does.',
    ),
  max_connection_age_grace: duration()
    .prefault('0s')
    .describe('How long requests may still run on a connection that is being ended; 0s waits for ever.'),
  time: duration()
    .prefault('2h')
    .describe('Asks a client that has been silent for this long whether it is there; 0s never asks.'),
  timeout: duration().prefault('20s').describe('Closes the connection when there is no answer to that.'),
})

const enforcementPolicy = z.strictObject({
  min_time: duration()
    .prefault('5m')
    .describe('Closes connections whose clients ping more often than this, without an answer in between.'),
  permit_without_stream: z
    .boolean()
    .default(false)
    .describe('Whether clients may ping that often while no request of theirs is under way.'),
})

const grpcFields = z.strictObject({
  endpoint: listenAt()
    .prefault('localhost:4317')
    .describe('Where to listen: host:port or unix:///path. Port 0 takes any free port.'),
  transport: transport(),
  ...guard,
  implementation: z
    .enum(['sluice', 'http2', 'grpc-js'])
    .default('sluice')
    .describe(
      '"sluice" is made for this one call and costs least; "http2" is the same on the HTTP/2 of Node; "grpc-js" is the library of the gRPC project. It takes no zstd, and knows neither read_timeout nor enforcement_policy.',
    ),
  max_recv_msg_size_mib: z
    .int()
    .min(1)
    .max(1024)
    .default(20)
    .describe(
      'Largest request in MiB, before and after decompression; larger ones are answered RESOURCE_EXHAUSTED.',
    ),
  max_concurrent_streams: z
    .int()
    .min(1)
    .default(100)
    .describe('Requests in flight on one connection; clients keep further ones back.'),
  read_timeout: duration()
    .prefault('1m')
    .describe('Gives up on a request that takes longer to arrive; 0s waits for ever.'),
  keepalive: z
    .strictObject({
      server_parameters: serverParameters.prefault({}).describe('When connections end.'),
      enforcement_policy: enforcementPolicy.prefault({}).describe('How often clients may ping.'),
    })
    .prefault({})
    .describe('The life of connections, as the Collector spells it.'),
  health: z
    .boolean()
    .default(true)
    .describe('Serves grpc.health.v1.Health, which tells orchestrators whether logs are taken.'),
  reflection: z
    .boolean()
    .default(false)
    .describe('Serves grpc.reflection.v1 and v1alpha, with which grpcurl works without .proto files.'),
})
const grpc = grpcFields.refine(agrees, DISAGREES)
advice.add(grpc, {
  read_buffer_size: BUFFERS,
  write_buffer_size: BUFFERS,
  include_metadata: METADATA,
  middlewares: MIDDLEWARES,
})

const http = z
  .strictObject({
    endpoint: listenAt()
      .prefault('localhost:4318')
      .describe('Where to listen: host:port or unix:///path. Port 0 takes any free port.'),
    transport: transport(),
    ...guard,
    logs_url_path: z.string().startsWith('/').default('/v1/logs').describe('The path that takes logs.'),
    max_request_body_size: bytes()
      .prefault('20MiB')
      .describe('Largest request, before and after decompression; larger ones are answered 413.'),
    read_header_timeout: duration()
      .prefault('1m')
      .describe('Closes a connection that takes longer to send the headers of a request; 0s waits for ever.'),
    read_timeout: duration()
      .prefault('1m')
      .describe('Closes a connection that takes longer to send a whole request; 0s waits for ever.'),
    idle_timeout: duration()
      .prefault('1m')
      .describe('Closes a connection that brings no further request for this long; 0s never does.'),
    ...httpShape,
  })
  .refine(agrees, DISAGREES)
  .refine(
    ({ read_header_timeout: header, read_timeout: whole }) => whole === 0 || (header > 0 && header <= whole),
    {
      path: ['read_header_timeout'],
      error: 'expected no more than read_timeout, which includes it',
    },
  )

const LOGS_ONLY = 'Sluice takes logs only: leave this out'
advice.add(http, {
  traces_url_path: LOGS_ONLY,
  metrics_url_path: LOGS_ONLY,
  profiles_url_path: LOGS_ONLY,
  write_timeout: 'answers are small: leave this out; read_timeout and idle_timeout end slow connections',
  read_buffer_size: BUFFERS,
  write_buffer_size: BUFFERS,
  include_metadata: METADATA,
  middlewares: MIDDLEWARES,
})

/** A protocol is on as soon as its key is there: `grpc:` alone takes the defaults. */
function switchedOn<S extends z.ZodType>(settings: S, defaults: z.input<S>) {
  return settings.nullable().transform((given) => given ?? settings.parse(defaults))
}

export const config = z
  .strictObject({
    protocols: z
      .strictObject({
        grpc: switchedOn(grpc, {}).optional().describe('OTLP over gRPC. The bare key switches it on.'),
        http: switchedOn(http, {})
          .optional()
          .describe('OTLP over HTTP, protobuf and JSON. The bare key switches it on.'),
      })
      .refine((protocols) => protocols.grpc !== undefined || protocols.http !== undefined, {
        error: 'expected grpc, http or both',
      })
      .describe('The ways in. At least one.'),
    limits: limitsConfig.prefault({}).describe('What clients may ask of both protocols. See docs/otlp.md.'),
    tenant: tenant.prefault({}).describe('Whose logs these are.'),
    rate_limits: rateLimits.optional().describe('How much each tenant may send; any amount without it.'),
  })
  .superRefine(checkTenant)

export type GrpcSettings = z.output<typeof grpc>
export type HttpSettings = z.output<typeof http>
export type OtlpConfig = z.output<typeof config>
