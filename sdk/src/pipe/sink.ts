/** The instrumentation scope of records: the logger's name and version. One object per scope, compared by identity. */
export interface Scope {
  readonly name: string
  readonly version?: string
}

/** Where encoded records go; the pipe to the collector is one. */
export interface RecordSink {
  /**
   * Takes one record: `bytes` from `start` to `end` are an encoded
   * `opentelemetry.proto.logs.v1.LogRecord`. They are copied before this returns, so the caller may write over them.
   * Never throws and never waits; false when the record was dropped, which is counted here with its reason.
   *
   * @param severity OTel severity number, 0 (unspecified) to 24.
   */
  accept(scope: Scope, severity: number, bytes: Uint8Array, start: number, end: number): boolean
}
