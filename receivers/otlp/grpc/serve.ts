import type { GrpcSettings } from '../config.ts'
import type { Entrance } from '../entrance.ts'
import type { Listener } from '../listen/listen.ts'
import { methodsOf } from './services/methods.ts'

export const EXPORT = '/opentelemetry.proto.collector.logs.v1.LogsService/Export'
export const MIB = 1024 * 1024

const IMPLEMENTATIONS = {
  sluice: () => import('./sluice.ts'),
  http2: () => import('./http2.ts'),
  'grpc-js': () => import('./grpc-js.ts'),
} as const

/** Serves OTLP/gRPC: https://opentelemetry.io/docs/specs/otlp/#otlpgrpc. Messages stay the bytes they came as. */
export async function serveGrpc(settings: GrpcSettings, entrance: Entrance): Promise<Listener> {
  const methods = await methodsOf(settings, entrance.serving)
  // What is not chosen is not loaded: grpc-js alone takes 100 modules.
  const { serve } = await IMPLEMENTATIONS[settings.implementation]()
  return await serve(settings, entrance, methods)
}
