import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SluiceLogRecordProcessor } from '../../src/otel/index.ts'
import { type Collector, startHttpCollector } from '../pipe/kit/collector.ts'
import { deliveredIn } from '../support/delivered.ts'
import { installed } from '../support/installed.ts'

interface SdkLogs {
  readonly LoggerProvider: new (
    options: object,
  ) => {
    addLogRecordProcessor?(processor: object): void
    getLogger(name: string, version: string): { emit(record: object): void }
    shutdown(): Promise<void>
  }
}

interface Resources {
  readonly resourceFromAttributes: (attributes: object) => object
}

describe.each([
  ['0.200.0', '2.0.0'],
  ['0.208.0', '2.2.0'],
])('@opentelemetry/sdk-logs %s', (logs, resources) => {
  let collector: Collector

  beforeAll(async () => {
    collector = await startHttpCollector()
  })

  afterAll(() => collector[Symbol.asyncDispose]())

  it('has its records delivered, with resource and scope', async ({ skip }) => {
    const packages = await installed(
      `@opentelemetry/sdk-logs@${logs}`,
      `@opentelemetry/resources@${resources}`,
      '@opentelemetry/api@1.9.0',
    )
    if (packages === undefined) return skip('the registry of npm cannot be reached')
    const { LoggerProvider } = await packages.load<SdkLogs>('@opentelemetry/sdk-logs')
    const { resourceFromAttributes } = await packages.load<Resources>('@opentelemetry/resources')
    const processor = new SluiceLogRecordProcessor({ endpoint: `http://127.0.0.1:${collector.port}` })
    const resource = resourceFromAttributes({ 'service.name': 'shop' })
    const provider = new LoggerProvider({ resource, processors: [processor] })
    // The oldest takes them only afterwards.
    if (logs === '0.200.0') provider.addLogRecordProcessor?.(processor)

    provider.getLogger('library', '1.2.3').emit({ severityNumber: 13, body: 'x', attributes: { orderId: 7 } })
    await provider.shutdown()

    expect(deliveredIn(collector.requests)).toMatchObject([
      {
        resource: { 'service.name': 'shop' },
        scope: { name: 'library', version: '1.2.3' },
        record: { severityNumber: 13 },
        body: 'x',
        attributes: { orderId: 7n },
      },
    ])
  })
})
