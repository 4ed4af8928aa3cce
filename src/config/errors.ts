/** One thing wrong in a config file. */
export interface ConfigIssue {
  readonly file: string
  /** Counted from 1; 0 where the issue is about no place in the file. */
  readonly line: number
  readonly column: number
  /** `receivers.otlp.protocols.grpc.endpoint`; empty for the file as a whole. */
  readonly path: string
  readonly message: string
}

/** All that is wrong with a config, one line an issue: `file:line:col: path: message`. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly issues: readonly ConfigIssue[]

  constructor(issues: readonly ConfigIssue[], options?: ErrorOptions) {
    super(issues.map(formatIssue).join('\n'), options)
    this.issues = issues
  }

  /** An issue that no place in a file stands for, an unreadable file for one. */
  static about(subject: string, message: string, options?: ErrorOptions): ConfigError {
    return new ConfigError([{ file: subject, line: 0, column: 0, path: '', message }], options)
  }
}

/** The line an operator reads, and an editor can jump to. */
export function formatIssue({ file, line, column, path, message }: ConfigIssue): string {
  const place = line === 0 ? file : `${file}:${line}:${column}`
  return [place, path, message].filter((part) => part !== '').join(': ')
}
