import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebhookSettings } from '../../../extensions/alerts/receivers/config.ts'
import { Poster } from '../../../extensions/alerts/receivers/http.ts'
import { type TemporaryFolder, temporaryFolder } from '../../servers/at-exit.ts'
import { run } from '../../servers/process.ts'
import { never } from '../../support/component.ts'

describe('a receiver behind TLS that wants a certificate', () => {
  let folder: TemporaryFolder
  let url: string
  let server: ReturnType<typeof createServer>
  const file = (name: string): string => join(folder.path, name)

  beforeAll(async () => {
    folder = await temporaryFolder('tls')
    for (const name of ['server', 'client']) {
      const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1']
      const files = ['-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)]
      await run('openssl', [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '2',
        ...subject,
        ...files,
      ])
    }
    const [key, cert, ca] = await Promise.all(
      ['server.key', 'server.pem', 'client.pem'].map((name) => readFile(file(name))),
    )
    server = createServer(
      { key, cert, ca, requestCert: true, rejectUnauthorized: true },
      (request, response) => request.resume().on('end', () => response.end()),
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  })

  afterAll(async () => {
    server?.closeAllConnections()
    server?.close()
    await folder?.remove()
  })

  async function post(tls: object): Promise<void> {
    const poster = new Poster(WebhookSettings.parse({ url, tls }))
    try {
      await poster.post(url, 'application/json', '{}', never)
    } finally {
      await poster.close()
    }
  }

  it('is reached with its authority and a certificate', async () => {
    const certificate = { cert_file: file('client.pem'), key_file: file('client.key') }

    await expect(post({ ca_file: file('server.pem'), ...certificate })).resolves.toBeUndefined()
    await expect(post({ insecure_skip_verify: true, ...certificate })).resolves.toBeUndefined()
  })

  it('is not trusted without its authority, and does not trust without a certificate', async () => {
    const certificate = { cert_file: file('client.pem'), key_file: file('client.key') }

    await expect(post(certificate)).rejects.toThrow(/self-signed certificate/)
    await expect(post({ ca_file: file('server.pem') })).rejects.toMatchObject({ isRetryable: true })
  })
})
