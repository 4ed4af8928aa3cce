import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { startSluice } from '../../test/e2e/sluice.ts'
import { temporaryFolder } from '../../test/servers/at-exit.ts'
import { freePort } from '../../test/servers/ports.ts'
import { type Figure, figure } from '../figures.ts'
import { latencyOf } from '../statistics.ts'
import { type Paced, type PacedOptions, sendPaced } from '../tenants/paced.ts'
import type { Suite } from './suite.ts'

const RECORDS = 20
/** Requests a second. */
const QUIET = 100
const ALLOWED = 50
const NOISY = 1000
const WARM_UP_SECONDS = 3

/** How long the requests of one tenant take, alone and beside another that sends twenty times what it may. */
export const tenants: Suite = {
  name: 'tenants',
  title: `A tenant with ${QUIET} requests/s, alone and beside one that sends ${NOISY} and may send ${ALLOWED}`,
  async run({ seconds, runs }, progress) {
    const folder = await temporaryFolder('tenants')
    const port = await freePort()
    await using _sluice = await startSluice({ config: configOf(folder.path, port) })
    const quiet = { port, token: 'quiet', rate: QUIET, records: RECORDS, seconds }
    try {
      await sendPaced({ ...quiet, seconds: WARM_UP_SECONDS })
      const alone: Paced[] = []
      const beside: Paced[] = []
      const noisy: Pick<Paced, 'taken' | 'refused'>[] = []
      for (let run = 0; run < runs; run++) {
        progress('tenants: alone')
        alone.push(await sendPaced(quiet))
        progress('tenants: beside one over its limit')
        const other = sendNoisy({ ...quiet, token: 'noisy', rate: NOISY })
        beside.push(await sendPaced(quiet))
        noisy.push(await other)
      }
      const of = (name: string, counted: readonly Pick<Paced, 'taken' | 'refused'>[]): Figure[] => [
        figure(`${name}taken`, { unit: '1/s', runs: counted.map(({ taken }) => taken / seconds) }),
        figure(`${name}refused`, { unit: '1/s', runs: counted.map(({ refused }) => refused / seconds) }),
      ]
      const cases = [
        { name: 'alone', figures: [...times(alone), ...of('', alone)] },
        {
          name: 'beside one over its limit',
          figures: [...times(beside), ...of('', beside), ...of('the other ', noisy)],
        },
      ]
      return { suite: tenants.name, title: tenants.title, cases }
    } finally {
      await folder.remove()
    }
  },
}

function times(runs: readonly Paced[]): Figure[] {
  const latencies = runs.map((run) => latencyOf(run.latencies))
  return [
    figure('p50', { unit: 'ms', runs: latencies.map(({ p50 }) => p50) }),
    figure('p99', { unit: 'ms', runs: latencies.map(({ p99 }) => p99) }),
  ]
}

async function sendNoisy(options: PacedOptions): Promise<Pick<Paced, 'taken' | 'refused'>> {
  const worker = new Worker(new URL('../tenants/noisy.ts', import.meta.url), { workerData: options })
  const [counts] = (await once(worker, 'message')) as [Pick<Paced, 'taken' | 'refused'>]
  await worker.terminate()
  return counts
}

function configOf(folder: string, port: number): string {
  return `
receivers:
  otlp:
    protocols: { http: { endpoint: "127.0.0.1:${port}", auth: { authenticator: bearertokenauth } } }
    rate_limits: { tenants: { noisy: { requests: ${ALLOWED} } } }
processors:
  redaction:
connectors:
  disk: { directory: ${JSON.stringify(join(folder, 'buffer'))} }
exporters:
  file: { directory: ${JSON.stringify(join(folder, 'files'))} }
extensions:
  bearertokenauth: { tokens: [{ token: quiet, tenant: quiet }, { token: noisy, tenant: noisy }] }
service:
  extensions: [bearertokenauth]
  pipelines:
    logs/gateway: { receivers: [otlp], processors: [redaction], exporters: [disk] }
    logs/drain: { receivers: [disk], exporters: [file] }
`
}
