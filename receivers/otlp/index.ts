import { defineReceiver } from '../../src/define.ts'
import { config } from './config.ts'
import { OtlpReceiver } from './receiver.ts'

/**
 * Logs over OTLP 1.11, by gRPC and by HTTP. A client is told success when its records are durably buffered or
 * delivered, never before; until then it keeps its copy.
 */
export const otlp = defineReceiver({
  type: 'otlp',
  summary: 'Takes logs over OTLP, by gRPC and by HTTP with protobuf or JSON.',
  config,
  example: { protocols: { grpc: { endpoint: '127.0.0.1:0' }, http: { endpoint: '127.0.0.1:0' } } },

  authenticators: ({ protocols }) =>
    Object.entries(protocols).flatMap(([name, protocol]) =>
      protocol?.auth === undefined
        ? []
        : [{ path: ['protocols', name, 'auth', 'authenticator'], id: protocol.auth.authenticator }],
    ),
  create: (settings, context) => new OtlpReceiver(settings, context),
})
