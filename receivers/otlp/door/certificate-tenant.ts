import type { PeerCertificate } from 'node:tls'

const MAX_TENANT = 128
/** `DNS:shop.example, URI:spiffe://…`; Node puts names in quotes that could be taken for several. */
const FIRST_NAME = /^(?:DNS|URI|email):([^",]+)(?:,|$)/

/** The name in a client's certificate that tells its tenant; undefined where there is none, or not exactly one. */
export function tenantOf(
  certificate: PeerCertificate | undefined,
  from: 'certificate_cn' | 'certificate_san',
): string | undefined {
  const name: unknown =
    from === 'certificate_cn'
      ? certificate?.subject?.CN
      : FIRST_NAME.exec(certificate?.subjectaltname ?? '')?.[1]
  return typeof name === 'string' && name !== '' && name.length <= MAX_TENANT ? name : undefined
}
