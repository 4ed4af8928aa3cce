/** An OTLP endpoint and how to speak to it. */
export interface Destination {
  readonly protocol: 'grpc' | 'http/protobuf'
  /**
   * `http/protobuf`: the whole URL that requests are posted to. `grpc`: `http://host:port` without TLS, or
   * `https://host:port` with it.
   */
  readonly url: string
  /** Sent with each request. A function is asked before each attempt: for tokens that expire. */
  readonly headers: Headers | (() => Headers | Promise<Headers>)
  readonly compression: 'none' | 'gzip'
  /** Milliseconds for one attempt. */
  readonly timeoutMillis: number
  readonly tls: TlsFiles
}

/** Names and values of headers (of gRPC: of metadata). */
export type Headers = Readonly<Record<string, string>>

/** Paths of PEM files. */
export interface TlsFiles {
  /** The authorities to trust instead of the system's. */
  readonly certificate: string | undefined
  readonly clientKey: string | undefined
  readonly clientCertificate: string | undefined
}

/** The address without what may be secret in it: user, password and query. */
export function withoutSecrets(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url)
    return `${protocol}//${host}${pathname === '/' ? '' : pathname}`
  } catch {
    return 'the endpoint'
  }
}
