import { Buffer } from 'node:buffer'
import { SeverityNumber } from '@opentelemetry/api-logs'
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs'
import pino from 'pino'
import { createLoggerOver } from '../src/logger/create-logger.ts'
import type { LogSink } from '../src/logger/log-sink.ts'

/** A library that logs the same record to a destination that takes everything and does nothing. */
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

export function contenders(): Contender[] {
  const ours = createLoggerOver(copyingSink, { service: 'bench' }, {})
  const theirs = pino({}, { write() {} })
  const provider = new LoggerProvider({
    processors: [
      new BatchLogRecordProcessor({
        exporter: {
          export: (_records, done) => done({ code: 0 }),
          shutdown: async () => {},
          forceFlush: async () => {},
        },
      }),
    ],
  })
  const plain = provider.getLogger('bench')
  return [
    { name: '@sluice/logs', log: (call) => ours.info(fieldsOf(call), MESSAGE) },
    { name: 'pino', log: (call) => theirs.info(fieldsOf(call), MESSAGE) },
    {
      name: 'OpenTelemetry SDK',
      log: (call) =>
        plain.emit({
          severityNumber: SeverityNumber.INFO,
          severityText: 'INFO',
          body: MESSAGE,
          attributes: fieldsOf(call),
        }),
    },
  ]
}
