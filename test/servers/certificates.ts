import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from './at-exit.ts'
import { run } from './process.ts'

/** An authority, a server it vouches for as 127.0.0.1 and `redis.test`, and a client; all as PEM files. */
export interface Certificates extends AsyncDisposable {
  readonly ca: string
  readonly server: { readonly cert: string; readonly key: string }
  readonly client: { readonly cert: string; readonly key: string }
  /** One that nobody vouches for. */
  readonly stranger: { readonly cert: string; readonly key: string }
}

/** Makes certificates with the openssl program; they are valid for a day. */
export async function makeCertificates(): Promise<Certificates> {
  const folder = await temporaryFolder('certificates')
  const at = (name: string): string => join(folder.path, name)
  const pair = (name: string) => ({ cert: at(`${name}.crt`), key: at(`${name}.key`) })
  const fresh = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-batch']
  const self = async (name: string): Promise<void> => {
    const { cert, key } = pair(name)
    await run('openssl', [
      ...fresh,
      '-x509',
      '-days',
      '1',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      key,
      '-out',
      cert,
    ])
  }
  const signed = async (name: string): Promise<void> => {
    const { cert, key } = pair(name)
    const request = at(`${name}.csr`)
    await run('openssl', [...fresh, '-subj', `/CN=${name}`, '-keyout', key, '-out', request])
    const ca = ['-CA', pair('ca').cert, '-CAkey', pair('ca').key, '-CAcreateserial']
    const names = ['-extfile', at('names')]
    await run('openssl', ['x509', '-req', '-in', request, '-days', '1', ...ca, ...names, '-out', cert])
  }
  await writeFile(at('names'), 'subjectAltName=DNS:redis.test,IP:127.0.0.1\n')
  await self('ca')
  await self('stranger')
  await signed('server')
  await signed('client')
  return {
    ca: pair('ca').cert,
    server: pair('server'),
    client: pair('client'),
    stranger: pair('stranger'),
    [Symbol.asyncDispose]: () => folder.remove(),
  }
}
