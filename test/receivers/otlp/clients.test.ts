import { SeverityNumber } from '@opentelemetry/api-logs'
import { OTLPLogExporter as GrpcExporter } from '@opentelemetry/exporter-logs-otlp-grpc'
import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http'
import { OTLPLogExporter as ProtobufExporter } from '@opentelemetry/exporter-logs-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from '@opentelemetry/sdk-logs'
import { describe, expect, it } from 'vitest'
import { type Document, documentsOf } from '../../support/otlp.ts'
import { type Harness, IMPLEMENTATIONS, serveBy } from './harness.ts'

type MakeExporter = (harness: Harness, compression: 'gzip' | 'none') => LogRecordExporter

const EXPORTERS: Readonly<{ [name: string]: MakeExporter }> = {
  grpc: ({ receiver }, compression) =>
    new GrpcExporter({ url: `http://127.0.0.1:${receiver.port('grpc')}`, compression: compression as never }),
  json: ({ url }, compression) => new JsonExporter({ url: url(), compression: compression as never }),
  protobuf: ({ url }, compression) => new ProtobufExporter({ url: url(), compression: compression as never }),
}

async function send(exporter: LogRecordExporter): Promise<void> {
  const provider = new LoggerProvider({
    resource: resourceFromAttributes({ 'service.name': 'shop' }),
    processors: [new BatchLogRecordProcessor({ exporter })],
  })
  const logger = provider.getLogger('checkout', '1.2.3')
  for (let i = 0; i < 100; i++) {
    logger.emit({
      timestamp: new Date(1_700_000_000_000 + i),
      severityNumber: SeverityNumber.WARN,
      severityText: 'WARN',
      body: { text: `é中😀 ${i}`, nested: { list: [1, 2.5, true, 'x'] } },
      attributes: { i, big: 2 ** 52, ratio: 0.25, tags: ['a', 'b'], ok: false },
    })
  }
  await provider.shutdown()
}

describe.each(IMPLEMENTATIONS)('with gRPC by %s', (implementation) => {
  const serve = serveBy(implementation)

  describe('the OpenTelemetry SDK for JavaScript', () => {
    for (const [name, make] of Object.entries(EXPORTERS)) {
      it.each(['none', 'gzip'] as const)(`delivers by ${name}, compression %s`, async (compression) => {
        const harness = await serve()
        await send(make(harness, compression))

        const documents = harness.batches.flatMap((batch) => documentsOf(batch))
        expect(documents).toHaveLength(100)
        expect(documents[42]).toMatchObject({
          severity_text: 'WARN',
          severity_number: 13,
          attributes: { i: 42, big: 2 ** 52, ratio: 0.25, tags: ['a', 'b'], ok: false },
          resource: { attributes: { 'service.name': 'shop' } },
        })
      })
    }

    it('means the same by each of the three', async () => {
      const withoutObserved = (document: Document): object => ({ ...document, observed_timestamp: undefined })
      const sent: object[][] = []
      for (const make of Object.values(EXPORTERS)) {
        const harness = await serve()
        await send(make(harness, 'none'))
        sent.push(harness.batches.flatMap((batch) => documentsOf(batch)).map(withoutObserved))
      }
      expect(sent[1]).toEqual(sent[0])
      expect(sent[2]).toEqual(sent[0])
    })
  })
})
