import { Buffer } from 'node:buffer'
import { SeverityNumber } from '@opentelemetry/api-logs'
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto'
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from '@opentelemetry/sdk-logs'
import pino from 'pino'
import { createLogger } from '../src/create-logger.ts'
import { createLoggerOver } from '../src/logger/create-logger.ts'
import type { LogSink } from '../src/logger/log-sink.ts'

/** A library that logs the same record. */
export interface Contender {
  readonly name: string
  readonly log: (call: number) => void
}

/** Ten fields, as a shop might have them; made anew for each call, as callers do. */
function fieldsOf(call: number) {
  return {
    orderId: call,
    customer: 'c-1234567',
    amount: 12.5,
    currency: 'EUR',
    items: 3,
    paid: true,
    method: 'card',
    region: 'eu-west-1',
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64)',
    durationMs: 12.345,
  }
}

const MESSAGE = 'order placed'
const KEPT = 4 * 1024 * 1024

/** Copies records, as the pipe does, over those that came before. */
function copyingSink(): LogSink {
  const kept = Buffer.alloc(KEPT)
  let at = 0
  return {
    accept(_scope, _severity, bytes, start, end) {
      if (at + end - start > KEPT) at = 0
      kept.set(bytes.subarray(start, end), at)
      at += end - start
      return true
    },
    flush: async () => true,
    shutdown: async () => true,
  }
}

const NOWHERE: LogRecordExporter = {
  export: (_records, done) => done({ code: 0 }),
  shutdown: async () => {},
  forceFlush: async () => {},
}

/** The plain SDK with an exporter. */
function openTelemetry(name: string, exporter: LogRecordExporter): Contender {
  const provider = new LoggerProvider({ processors: [new BatchLogRecordProcessor({ exporter })] })
  const logger = provider.getLogger('bench')
  const log = (call: number): void =>
    logger.emit({
      severityNumber: SeverityNumber.INFO,
      severityText: 'INFO',
      body: MESSAGE,
      attributes: fieldsOf(call),
    })
  return { name, log }
}

/** Those that do nothing with a record, and those that deliver it to the collector at `url`. */
export function contenders(url: string): Contender[] {
  const encoding = createLoggerOver(copyingSink, { service: 'bench' }, {})
  const delivering = createLogger({ service: 'bench', endpoint: url })
  const theirs = pino({}, { write() {} })
  return [
    { name: '@sluice/logs, to nowhere', log: (call) => encoding.info(fieldsOf(call), MESSAGE) },
    { name: 'pino, to nowhere', log: (call) => theirs.info(fieldsOf(call), MESSAGE) },
    openTelemetry('OpenTelemetry SDK, to nowhere', NOWHERE),
    { name: '@sluice/logs, delivered', log: (call) => delivering.info(fieldsOf(call), MESSAGE) },
    openTelemetry('OpenTelemetry SDK, delivered', new OTLPLogExporter({ url: `${url}/v1/logs` })),
  ]
}
