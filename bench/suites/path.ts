import { DRAIN, PATH } from '../budgets.ts'
import { pathSuite } from './suite.ts'

/** Records per request where a suite varies something else. */
const USUAL = 500

export const budgets = pathSuite('budgets', 'The whole path against its budgets', ({ records }) =>
  records.map((count) => ({
    name: `${count} records a request`,
    load: { records: count },
    budget: PATH[count],
  })),
)

export const batches = pathSuite('batches', 'By records in a request', () =>
  [1, 10, 20, 100, 500, 2000].map((records) => ({ name: `${records} records a request`, load: { records } })),
)

export const sizes = pathSuite('sizes', 'By size of a record', () =>
  [
    { name: '200 B', recordBytes: 200, records: USUAL },
    { name: '1.3 KB', recordBytes: 1300, records: USUAL },
    { name: '16 KB', recordBytes: 16_384, records: 50 },
  ].map(({ name, ...load }) => ({ name: `${name}, ${load.records} records a request`, load })),
)

export const redaction = pathSuite('redaction', 'By share of the records that hold something to redact', () =>
  [0, 0.05, 0.5].map((sensitive) => ({ name: `${sensitive * 100} %`, load: { records: USUAL, sensitive } })),
)

export const compression = pathSuite('compression', 'Compression in the buffer, and by the client', () => [
  { name: 'zstd in Redis', load: { records: USUAL } },
  { name: 'none in Redis', bed: { compression: 'none' }, load: { records: USUAL } },
  { name: 'gzip by the client', load: { records: USUAL, gzip: true } },
])

export const modes = pathSuite('modes', 'By mapping mode of the documents', () =>
  (['otel', 'ecs'] as const).map((mapping) => ({
    name: mapping,
    bed: { mapping },
    load: { records: USUAL },
    budget: { drain: DRAIN[mapping] },
  })),
)

export const transport = pathSuite('transport', 'gRPC and HTTP', () =>
  [USUAL, 20].flatMap((records) =>
    (['grpc', 'http'] as const).map((protocol) => ({
      name: `${protocol}, ${records} records a request`,
      load: { records, protocol },
    })),
  ),
)

export const buffer = pathSuite('buffer', 'Redis, and disk with gateway and drain in one process', () =>
  [USUAL, 20].flatMap((records) =>
    (['redis', 'disk'] as const).map((kind) => ({
      name: `${kind}, ${records} records a request`,
      bed: { buffer: kind },
      load: { records },
    })),
  ),
)

export const connections = pathSuite('connections', 'Small requests over 1,000 connections', () =>
  [10, 1].flatMap((records) =>
    (['grpc', 'http'] as const).map((protocol) => ({
      name: `${protocol}, ${records === 1 ? '1 record' : `${records} records`} a request`,
      load: { records, protocol, connections: 1000, inflight: 1 },
    })),
  ),
)
