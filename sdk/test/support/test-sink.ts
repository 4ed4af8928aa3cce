import { createLoggerOver } from '../../src/logger/create-logger.ts'
import type { EventMap } from '../../src/logger/events.ts'
import type { LogSink } from '../../src/logger/log-sink.ts'
import type { Logger } from '../../src/logger/logger.ts'
import type { LoggerOptions } from '../../src/options/options.ts'
import type { Environment } from '../../src/options/source.ts'
import type { Scope } from '../../src/pipe/sink.ts'
import { attributesOf, decodeRecord, type LogRecord, type Plain, plainOf } from './decode.ts'

/** A record that arrived, with what is mostly asked of it. */
export interface Arrived {
  readonly scope: Scope
  readonly severity: number
  readonly size: number
  readonly record: LogRecord
  readonly body: Plain
  readonly attributes: { [key: string]: Plain }
}

/** Keeps what arrives. */
export class TestSink implements LogSink {
  readonly arrived: Arrived[] = []
  readonly calls: string[] = []

  accept(scope: Scope, severity: number, bytes: Uint8Array, start: number, end: number): boolean {
    const record = decodeRecord(bytes.slice(start, end))
    this.arrived.push({
      scope,
      severity,
      size: end - start,
      record,
      body: plainOf(record.body),
      attributes: attributesOf(record.attributes),
    })
    return true
  }

  async flush(timeoutMillis?: number): Promise<boolean> {
    this.calls.push(`flush ${timeoutMillis}`)
    return true
  }

  async shutdown(timeoutMillis?: number): Promise<boolean> {
    this.calls.push(`shutdown ${timeoutMillis}`)
    return true
  }

  get last(): Arrived {
    const last = this.arrived.at(-1)
    if (last === undefined) throw new Error('nothing arrived')
    return last
  }
}

/** What a test of a logger looks at. */
export interface TestLogger<Events extends EventMap> {
  readonly log: Logger<Events>
  readonly sink: TestSink
  /** The lines of diagnostics. */
  readonly lines: string[]
}

/** A logger as users have it, over a sink that keeps what arrives. Without `log.record.uid` unless it is asked for. */
export function testLogger<Events extends EventMap = EventMap>(
  options: LoggerOptions<Events> = {},
  environment: Environment = {},
): TestLogger<Events> {
  const sink = new TestSink()
  const lines: string[] = []
  const log = createLoggerOver<Events>(
    () => sink,
    { uid: false, detectResource: false, diagnostics: (line) => lines.push(line), ...options },
    environment,
  )
  return { log, sink, lines }
}
