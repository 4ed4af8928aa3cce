import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { freePort } from '../servers/ports.ts'
import { inParallel, numberedRequests, postUntilAccepted } from './client.ts'
import { eventually, type Sluice, startSluice } from './sluice.ts'

describe('the embedded default: disk buffer and files', () => {
  let data: string
  let http: number
  let sluice: Sluice

  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), 'sluice-embedded-'))
    http = await freePort()
    sluice = await startSluice({ config: embedded(data, http) })
  })

  afterEach(async () => {
    await sluice.stop()
    await rm(data, { recursive: true, force: true })
  })

  /** The running numbers in all files. */
  async function written(): Promise<number[]> {
    const paths = await readdir(join(data, 'logs'), { recursive: true })
    const texts = await Promise.all(
      paths
        .filter((path) => path.endsWith('.ndjson'))
        .map((path) => readFile(join(data, 'logs', path), 'utf8')),
    )
    const lines = texts.flatMap((text) => text.split('\n')).filter((line) => line !== '')
    return lines.map((line) => (JSON.parse(line) as { attributes: { seq: number } }).attributes.seq)
  }

  it('writes every record once, redacted', async () => {
    const requests = numberedRequests(20, 50, 'embedded')

    await inParallel(requests, 4, ({ bytes }) => postUntilAccepted(http, bytes))
    await eventually(
      'the buffer is empty',
      async () => (await sluice.metrics()).sum('sluice_buffer_records') === 0,
    )

    expect((await written()).sort((a, b) => a - b)).toEqual(requests.flatMap(({ sequence }) => sequence))
    expect((await sluice.metrics()).sum('sluice_redactions_total', { detector: 'email' })).toBe(1000)
  })

  it('loses nothing that was acknowledged when it is killed under load', async () => {
    const requests = numberedRequests(60, 50, 'embedded')
    let accepted = 0

    const sending = inParallel(requests, 4, async ({ bytes }) => {
      await postUntilAccepted(http, bytes)
      accepted++
    })
    for (const share of [5, 25, 45]) {
      await eventually('some requests are accepted', async () => accepted > share)
      await sluice.kill()
      await sluice.restart()
    }
    await sending
    await eventually(
      'the buffer is empty',
      async () => (await sluice.metrics()).sum('sluice_buffer_records') === 0,
    )

    expect([...new Set(await written())].sort((a, b) => a - b)).toEqual(
      requests.flatMap(({ sequence }) => sequence),
    )
  })

  it('keeps what it has not delivered when it is stopped', async () => {
    await rm(join(data, 'logs'), { recursive: true, force: true })
    const requests = numberedRequests(40, 50, 'embedded')

    await inParallel(requests, 4, ({ bytes }) => postUntilAccepted(http, bytes))
    await sluice.stop()
    sluice = await startSluice({ config: embedded(data, http) })
    await eventually(
      'the buffer is empty',
      async () => (await sluice.metrics()).sum('sluice_buffer_records') === 0,
    )

    expect([...new Set(await written())].sort((a, b) => a - b)).toEqual(
      requests.flatMap(({ sequence }) => sequence),
    )
  })
})

function embedded(data: string, http: number): string {
  return `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${http}" } } }
processors:
  redaction:
connectors:
  disk: { directory: "${data}/buffer" }
exporters:
  file: { directory: "${data}/logs" }
service:
  pipelines:
    logs/gateway: { receivers: [otlp], processors: [redaction], exporters: [disk] }
    logs/drain: { receivers: [disk], exporters: [file] }
`
}
