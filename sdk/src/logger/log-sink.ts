import type { RecordSink } from '../pipe/sink.ts'

/** Where a root logger and its children send their records. */
export interface LogSink extends RecordSink {
  /** Resolves with false when not all was delivered in time. */
  flush(timeoutMillis?: number): Promise<boolean>
  shutdown(timeoutMillis?: number): Promise<boolean>
}
