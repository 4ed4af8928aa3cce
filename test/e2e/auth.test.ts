import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { makeCertificates } from '../servers/certificates.ts'
import { freePort } from '../servers/ports.ts'
import { numberedRequest } from './client.ts'
import { eventually, startSluice } from './sluice.ts'

/** The status of a request over TLS, on a connection of its own. */
function ask(
  port: number,
  { ca, token, body, path = '/' }: { ca: Buffer; token?: string; body?: Buffer; path?: string },
): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': 'application/x-protobuf' }),
    }
    const options = {
      host: '127.0.0.1',
      port,
      path,
      ca,
      headers,
      method: body ? 'POST' : 'GET',
      agent: false,
    }
    const call = request(options, (answer) => {
      answer.resume()
      answer.once('end', () => resolve(answer.statusCode ?? 0))
    })
    call.once('error', reject)
    call.end(body)
  })
}

it('every process, and the one that serves metrics and health, knows who may send and read', async () => {
  const [http, health, metrics] = [await freePort(), await freePort(), await freePort()]
  await using certificates = await makeCertificates()
  const folder = await mkdtemp(join(tmpdir(), 'sluice-auth-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const tokens = join(folder, 'tokens')
  await writeFile(tokens, 'first acme\n')
  const guard = `tls: { cert_file: ${certificates.server.cert}, key_file: ${certificates.server.key} }, auth: { authenticator: bearertokenauth }`
  await using sluice = await startSluice({
    config: `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${http}", ${guard} } } }
exporters:
  debug:
extensions:
  bearertokenauth: { filename: ${tokens} }
  health_check: { endpoint: "127.0.0.1:${health}", ${guard} }
service: # with telemetry of its own
  extensions: [bearertokenauth, health_check]
  telemetry: { metrics: { address: "127.0.0.1:${metrics}", ${guard} } }
  processes: 2
  pipelines:
    logs: { receivers: [otlp], exporters: [debug] }
`,
  })
  const ca = await readFile(certificates.ca)
  const body = numberedRequest(0, 1, 'auth').bytes
  const statuses = (token?: string): Promise<number[]> => {
    const who = token === undefined ? { ca } : { ca, token }
    const sent = Array.from({ length: 8 }, () => ask(http, { ...who, body, path: '/v1/logs' }))
    return Promise.all([...sent, ask(health, who), ask(metrics, { ...who, path: '/metrics' })])
  }
  const all = (status: number): number[] => Array(10).fill(status)

  expect(await statuses('first')).toEqual(all(200))
  expect(await statuses('second')).toEqual(all(401))
  expect(await statuses()).toEqual(all(401))

  await appendFile(tokens, 'second acme\n')
  await eventually('all have read the file again', async () =>
    (await statuses('second')).every((status) => status === 200),
  )
  expect(sluice.output).not.toMatch(/Bearer|second acme/)
})
