import { describe, expect, it } from 'vitest'
import type { LoggerOptions } from '../../src/options/options.ts'
import { resolveSettings } from '../../src/options/resolve.ts'
import type { Environment } from '../../src/options/source.ts'

function resolved(options: LoggerOptions = {}, environment: Environment = {}) {
  const lines: string[] = []
  const settings = resolveSettings({ diagnostics: (line) => lines.push(line), ...options }, environment)
  return { settings, lines, destination: settings.pipe.destination }
}

describe('settings', () => {
  it('have defaults', () => {
    const { settings, lines } = resolved()

    expect(settings).toMatchObject({
      disabled: false,
      logger: { name: 'unknown_service:node', threshold: 9 },
      record: {
        limits: {
          attributes: 128,
          valueLength: 32_768,
          bodyLength: 65_536,
          depth: 8,
          elements: 1000,
          recordBytes: 262_144,
        },
        redaction: { paths: [], censor: '[Redacted]', detectors: [] },
        uid: true,
        code: false,
      },
      pipe: {
        destination: {
          protocol: 'http/protobuf',
          url: 'http://localhost:4318/v1/logs',
          headers: {},
          compression: 'none',
          timeoutMillis: 10_000,
        },
        batch: { maxRecords: 512, maxBytes: 1_048_576, delayMillis: 1000 },
        queue: { maxBytes: 33_554_432, maxRecords: Number.POSITIVE_INFINITY, overflow: 'drop' },
        retry: { initialMillis: 1000, maxMillis: 30_000, budgetMillis: 300_000 },
        spill: undefined,
        exitHooks: true,
        flushTimeoutMillis: 30_000,
      },
    })
    expect(lines).toEqual([])
  })

  it('of the batch processor come from the environment', () => {
    const { settings } = resolved(
      { batch: { delayMillis: 5 } },
      {
        OTEL_BLRP_SCHEDULE_DELAY: '2000',
        OTEL_BLRP_EXPORT_TIMEOUT: '60000',
        OTEL_BLRP_MAX_QUEUE_SIZE: '4096',
        OTEL_BLRP_MAX_EXPORT_BATCH_SIZE: '100',
      },
    )

    expect(settings.pipe).toMatchObject({
      batch: { maxRecords: 100, delayMillis: 5 },
      queue: { maxRecords: 4096 },
      retry: { budgetMillis: 60_000 },
    })
  })

  it('of the spill are a folder, or all of it, and turn the overflow to it', () => {
    expect(resolved({ spill: '/var/spool/shop' }).settings.pipe).toMatchObject({
      spill: { directory: '/var/spool/shop', maxBytes: 268_435_456, windowMillis: 1000, sync: false },
      queue: { overflow: 'spill' },
    })
    const { pipe } = resolved({
      spill: { directory: '/s', windowMillis: Number.POSITIVE_INFINITY, sync: true },
      queue: { overflow: 'drop' },
    }).settings
    expect(pipe).toMatchObject({
      spill: { directory: '/s', windowMillis: Number.POSITIVE_INFINITY, sync: true },
      queue: { overflow: 'drop' },
    })
  })

  it('that are wrong give one line each, and the default', () => {
    const { settings, lines } = resolved(
      {
        level: 'loud' as never,
        batch: { maxRecords: 0 },
        limits: { depth: 1.5 },
        queue: { overflow: 'block' as never },
        uid: 'yes' as never,
        service: 7 as never,
        endpoint: 'ftp://x',
        spill: { directory: 7 as never },
        redact: { detectors: ['phone' as never] },
      },
      {
        OTEL_BLRP_SCHEDULE_DELAY: 'soon',
        OTEL_EXPORTER_OTLP_COMPRESSION: 'zstd',
        OTEL_SDK_DISABLED: 'maybe',
      },
    )

    expect(lines.sort()).toEqual([
      'OTEL_BLRP_SCHEDULE_DELAY is not a whole number of 0 or more: using the default',
      'OTEL_EXPORTER_OTLP_COMPRESSION is none of none, gzip: using the default',
      'OTEL_SDK_DISABLED is not true or false: using false',
      'option batch.maxRecords is not a whole number of 1 or more: using the default',
      'option endpoint is not a URL with http or https: leaving it out',
      'option level is no level: using info',
      'option limits.depth is not a whole number of 1 to 32: using the default',
      'option queue.overflow is none of drop, spill: using the default',
      'option redact.detectors has none of email, credit_card, cn_mobile, cn_id, bearer_token, jwt: leaving it out',
      'option service is not a text: leaving it out',
      'option spill.directory is not a text: leaving it out',
      'option uid is not true or false: using true',
    ])
    expect(settings.pipe.batch).toEqual({ maxRecords: 512, maxBytes: 1_048_576, delayMillis: 1000 })
    expect(settings.resource.attributes['service.name']).toBe('unknown_service:node')
  })

  it('of an empty variable are as without it', () => {
    const { destination, lines } = resolved(
      {},
      { OTEL_EXPORTER_OTLP_ENDPOINT: ' ', OTEL_EXPORTER_OTLP_TIMEOUT: '' },
    )

    expect([destination.url, destination.timeoutMillis, lines]).toEqual([
      'http://localhost:4318/v1/logs',
      10_000,
      [],
    ])
  })
})

describe('the destination', () => {
  it.each<[string, LoggerOptions, Environment, string, string]>([
    [
      'of the code',
      { endpoint: 'https://c:1/base/' },
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://e:1' },
      'http/protobuf',
      'https://c:1/base/v1/logs',
    ],
    [
      'of all signals',
      {},
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://e:1/base?x=1' },
      'http/protobuf',
      'http://e:1/base/v1/logs?x=1',
    ],
    [
      'of logs',
      {},
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://e:1', OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://l:2/as/it/is' },
      'http/protobuf',
      'http://l:2/as/it/is',
    ],
    ['with the port of gRPC', { endpoint: 'http://c:4317' }, {}, 'grpc', 'http://c:4317'],
    [
      'with that port and a protocol',
      { endpoint: 'http://c:4317', protocol: 'http/protobuf' },
      {},
      'http/protobuf',
      'http://c:4317/v1/logs',
    ],
    ['of gRPC by default', {}, { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, 'grpc', 'http://localhost:4317'],
    ['of gRPC with a path', { endpoint: 'https://c:1/x', protocol: 'grpc' }, {}, 'grpc', 'https://c:1'],
    ['without a scheme', {}, { OTEL_EXPORTER_OTLP_ENDPOINT: 'c:4317' }, 'grpc', 'https://c:4317'],
    [
      'without a scheme, insecure',
      {},
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'c:4317', OTEL_EXPORTER_OTLP_INSECURE: 'True' },
      'grpc',
      'http://c:4317',
    ],
    [
      'of logs over another protocol',
      {},
      { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: 'http/protobuf' },
      'http/protobuf',
      'http://localhost:4318/v1/logs',
    ],
  ])('%s', (_, options, environment, protocol, url) => {
    const { destination, lines } = resolved(options, environment)

    expect([destination.protocol, destination.url, lines]).toEqual([protocol, url, []])
  })

  it('has headers of the environment below those of the code', () => {
    const environment = {
      OTEL_EXPORTER_OTLP_HEADERS: 'not=used',
      OTEL_EXPORTER_OTLP_LOGS_HEADERS: 'Api-Key=a%20b , x=y',
    }
    const ask = () => ({ a: 'b' })

    expect(resolved({ headers: { X: 'z' } }, environment).destination.headers).toEqual({
      'api-key': 'a b',
      x: 'z',
    })
    expect(resolved({ headers: ask }, environment).destination.headers).toBe(ask)
  })

  it('leaves out headers that cannot be sent, without showing them', () => {
    const { destination, lines } = resolved(
      { headers: { good: 'x', bad: 'secret\r\nx: y' } },
      { OTEL_EXPORTER_OTLP_HEADERS: 'secret' },
    )

    expect(destination.headers).toEqual({ good: 'x' })
    expect(lines).toHaveLength(2)
    expect(lines.join()).not.toContain('secret')
  })

  it('has its files, compression and timeout from the environment', () => {
    expect(
      resolved(
        {},
        {
          OTEL_EXPORTER_OTLP_CERTIFICATE: '/ca.pem',
          OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY: '/key.pem',
          OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: '/cert.pem',
          OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
          OTEL_EXPORTER_OTLP_LOGS_TIMEOUT: '2500',
        },
      ).destination,
    ).toMatchObject({
      compression: 'gzip',
      timeoutMillis: 2500,
      tls: { certificate: '/ca.pem', clientKey: '/key.pem', clientCertificate: '/cert.pem' },
    })
  })
})
