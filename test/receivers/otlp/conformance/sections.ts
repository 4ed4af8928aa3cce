const OTLP = 'https://opentelemetry.io/docs/specs/otlp/'
const GRPC = 'https://github.com/grpc/grpc/blob/master/doc/'
const HTTP = 'https://www.rfc-editor.org/rfc/rfc9110.html'

/** Where it is written what a case stands for: a title and its address. */
export const SECTIONS = {
  grpcRequest: ['OTLP/gRPC', `${OTLP}#otlpgrpc`],
  success: ['OTLP full success', `${OTLP}#full-success`],
  partial: ['OTLP partial success', `${OTLP}#partial-success`],
  failures: ['OTLP failures', `${OTLP}#failures`],
  throttling: ['OTLP throttling', `${OTLP}#otlpgrpc-throttling`],
  httpThrottling: ['OTLP/HTTP throttling', `${OTLP}#otlphttp-throttling`],
  httpRequest: ['OTLP/HTTP request', `${OTLP}#otlphttp-request`],
  httpResponse: ['OTLP/HTTP response', `${OTLP}#otlphttp-response`],
  httpFailures: ['OTLP/HTTP failures', `${OTLP}#failures-1`],
  badData: ['OTLP/HTTP bad data', `${OTLP}#bad-data`],
  connection: ['OTLP/HTTP connection', `${OTLP}#otlphttp-connection`],
  json: ['OTLP JSON encoding', `${OTLP}#json-protobuf-encoding`],
  versions: ['OTLP interoperability', `${OTLP}#future-versions-and-interoperability`],
  anyValue: ['AnyValue', 'https://opentelemetry.io/docs/specs/otel/common/#anyvalue'],
  record: ['Log data model', 'https://opentelemetry.io/docs/specs/otel/logs/data-model/'],
  grpc: ['gRPC over HTTP/2', `${GRPC}PROTOCOL-HTTP2.md`],
  grpcCompression: ['gRPC compression', `${GRPC}compression.md`],
  grpcHealth: ['gRPC health checking', `${GRPC}health-checking.md`],
  grpcReflection: ['gRPC server reflection', `${GRPC}server-reflection.md`],
  coding: ['HTTP content codings', `${HTTP}#section-8.4`],
  http: ['HTTP semantics', HTTP],
  http1: ['HTTP/1.1 messages', 'https://www.rfc-editor.org/rfc/rfc9112.html'],
  cors: ['CORS', 'https://fetch.spec.whatwg.org/#http-cors-protocol'],
  collector: [
    'Collector settings',
    'https://github.com/open-telemetry/opentelemetry-collector/tree/main/config/confighttp',
  ],
} as const

export type Section = keyof typeof SECTIONS
