import { X509Certificate } from 'node:crypto'
import type { Server as SocketServer } from 'node:net'
import { createSecureContext, type SecureContextOptions, Server, type TlsOptions } from 'node:tls'
import type { Logger } from 'pino'
import { CIPHER_SUITES, type ServerTls } from '../config/server-tls.ts'
import type { ComponentMetrics } from '../telemetry/metrics.ts'
import { WatchedFiles } from '../watched-files.ts'

/** Without them, Node takes a list of ciphers to mean that TLS 1.3 is not wanted. */
const TLS_1_3_SUITES = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']

/** Who does not finish a handshake by then is cut off. */
const HANDSHAKE_MS = 10_000

export interface ServerCertificatesContext {
  readonly log: Logger
  readonly metrics: ComponentMetrics
  /** Told what is wrong with changed files; undefined when nothing is any more. */
  readonly trouble: (problem: string | undefined) => void
}

/** What a server of TLS shows and asks for. Changed files count for the connections that come after. */
export class ServerCertificates {
  readonly #tls: ServerTls
  readonly #files: WatchedFiles
  readonly #metrics: ComponentMetrics
  #secure: SecureContextOptions = {}
  #server: Server | undefined

  constructor(tls: ServerTls, context: ServerCertificatesContext) {
    this.#tls = tls
    this.#metrics = context.metrics
    this.#files = new WatchedFiles({
      files: filesOf(tls),
      interval: tls.reload_interval,
      take: (texts) => this.#take(texts),
      ...context,
    })
  }

  /** Reads the files. Rejects with what is wrong with them. */
  start(): Promise<void> {
    return this.#files.start()
  }

  stop(): Promise<void> {
    return this.#files.stop()
  }

  /** What to create the server with. */
  get options(): TlsOptions {
    const asks = this.#tls.client_ca_file !== undefined
    return { ...this.#secure, requestCert: asks, rejectUnauthorized: asks, handshakeTimeout: HANDSHAKE_MS }
  }

  /** The server that new files are for, and whose failed handshakes are counted: of node:tls, node:https or node:http2. */
  serve(server: SocketServer): void {
    if (!(server instanceof Server)) throw new TypeError('this server does not speak TLS')
    this.#server = server
    const help =
      'Connections that did not come to be: no agreement on TLS, or a client certificate that nobody vouches for.'
    const failed = this.#metrics.counter('sluice_tls_handshake_failures_total', help)
    server.on('tlsClientError', () => failed.inc())
  }

  #take(texts: Readonly<Record<string, string>>): void {
    const secure = secureOptions(this.#tls, texts)
    check(secure)
    this.#secure = { ...secure, ca: this.#ca(secure) }
    this.#server?.setSecureContext(this.#secure)
  }

  /** The authority of before, where it is not to be read again. */
  #ca(next: SecureContextOptions): SecureContextOptions['ca'] {
    const { client_ca_file_reload: reloads } = this.#tls
    return reloads || this.#server === undefined ? next.ca : this.#secure.ca
  }
}

function filesOf(tls: ServerTls): Record<string, string> {
  const files = (['cert_file', 'key_file', 'client_ca_file'] as const).flatMap((name) => {
    const path = tls[name]
    return path === undefined ? [] : [[`tls.${name}`, path] as const]
  })
  return Object.fromEntries(files)
}

function secureOptions(tls: ServerTls, texts: Readonly<Record<string, string>>): SecureContextOptions {
  const options: SecureContextOptions = {
    cert: texts['tls.cert_file'] ?? tls.cert_pem,
    key: texts['tls.key_file'] ?? tls.key_pem,
    minVersion: `TLSv${tls.min_version}`,
  }
  if (tls.client_ca_file !== undefined) options.ca = texts['tls.client_ca_file']
  if (tls.max_version !== undefined) options.maxVersion = `TLSv${tls.max_version}`
  if (tls.cipher_suites !== undefined)
    options.ciphers = [...TLS_1_3_SUITES, ...tls.cipher_suites.map((name) => CIPHER_SUITES[name])].join(':')
  return options
}

/** Throws an error that says which setting is wrong. OpenSSL's own words hold nothing of the key. */
function check({ cert, key, ca, ...others }: SecureContextOptions): void {
  const attempt = (what: string, use: () => unknown): void => {
    try {
      use()
    } catch (error) {
      throw new Error(`${what} (${reasonOf(error)})`, { cause: error })
    }
  }
  attempt('tls.cert_file: holds no certificate in PEM', () => new X509Certificate(String(cert)))
  attempt('tls.key_file: holds no key in PEM that can be read', () => createSecureContext({ key }))
  attempt('tls.key_file: does not fit the certificate', () => createSecureContext({ cert, key }))
  // Node takes a text without a single certificate for an authority that vouches for nobody.
  if (ca !== undefined)
    attempt('tls.client_ca_file: holds no certificate in PEM', () => new X509Certificate(String(ca)))
  attempt('tls', () => createSecureContext({ cert, key, ca, ...others }))
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return code ?? message
}
