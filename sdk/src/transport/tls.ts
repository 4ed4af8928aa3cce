import { readFileSync } from 'node:fs'
import type { TlsFiles } from './destination.ts'

/** What the files hold. */
export interface Pem {
  readonly certificate: Buffer | undefined
  readonly clientKey: Buffer | undefined
  readonly clientCertificate: Buffer | undefined
}

/** Connections that failed are made again with what the files hold then: certificates are renewed in place. */
export const RENEWAL_MILLIS = 10_000

/** @throws Error naming the path that cannot be read */
export function readPem({ certificate, clientKey, clientCertificate }: TlsFiles): Pem {
  return {
    certificate: read(certificate),
    clientKey: read(clientKey),
    clientCertificate: read(clientCertificate),
  }
}

function read(path: string | undefined): Buffer | undefined {
  return path === undefined ? undefined : readFileSync(path)
}
