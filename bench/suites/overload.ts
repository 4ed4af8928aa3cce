import { mkdirSync, writeFileSync } from 'node:fs'
import { fillBacklog } from '../../test/delivery/backlog.ts'
import { temporaryFolder } from '../../test/servers/at-exit.ts'
import { startElasticsearch } from '../../test/servers/elasticsearch.ts'
import type { Case } from '../figures.ts'
import { figuresOf } from '../overload/figures.ts'
import { type Compared, drawOverload } from '../overload/plot.ts'
import { type Overload, workOff } from '../overload/run.ts'
import { makePayload } from '../payload.ts'
import type { Suite } from './suite.ts'

const RECORDS_PER_REQUEST = 500
const REQUESTS = 300
const CONSUMERS = 16
const RESULTS = 'bench/results'

/** Small servers, each short of something else. */
const SERVERS = [
  { server: 'write queue of 4', settings: { 'node.processors': 1, 'thread_pool.write.queue_size': 4 } },
  {
    server: 'indexing pressure of 1 MB',
    settings: { 'node.processors': 1, 'indexing_pressure.memory.limit': '1mb' },
  },
] as const
const KINDS = { adaptive: true, fixed: false } as const

/**
 * A real Elasticsearch that takes far fewer requests at once than the drain may send: does delivery settle at what it
 * takes, and does every record arrive once? Draws bench/results/overload.svg.
 */
export const overload: Suite = {
  name: 'overload',
  title: `A backlog of ${REQUESTS * RECORDS_PER_REQUEST} records into an Elasticsearch that refuses, ${CONSUMERS} consumers`,
  async run(_, progress) {
    const folder = await temporaryFolder('backlog')
    try {
      progress('overload: filling the buffer')
      const payload = (seed: number) => (): Buffer => makePayload({ records: RECORDS_PER_REQUEST, seed })
      await fillBacklog(
        folder.path,
        Array.from({ length: REQUESTS }, (_payload, index) => payload(index + 1)),
      )
      const backlog = { folder: folder.path, records: REQUESTS * RECORDS_PER_REQUEST }
      const cases: Case[] = []
      const compared: Compared[] = []
      for (const { server, settings } of SERVERS) {
        progress(`overload: starting Elasticsearch, ${server}`)
        await using elasticsearch = await startElasticsearch({ settings })
        const deliver = (kind: keyof typeof KINDS): Promise<Overload> => {
          progress(`overload: ${server}, ${kind}`)
          const sendingQueue = `{ num_consumers: ${CONSUMERS}, adaptive_concurrency: { enabled: ${KINDS[kind]} }, batch: { flush_timeout: 500ms, max_size: 256KiB } }`
          return workOff(backlog, { url: elasticsearch.url, sendingQueue })
        }
        const measure = async (kind: keyof typeof KINDS) => {
          const run = await deliver(kind)
          cases.push({ name: `${server}, ${kind}`, figures: figuresOf(run, backlog.records) })
          return run
        }
        // A server that has just started compiles itself for the first half of a minute.
        await deliver('adaptive')
        compared.push({
          server,
          runs: { adaptive: await measure('adaptive'), fixed: await measure('fixed') },
        })
        // Each server as soon as it is measured: the next one may not start.
        mkdirSync(RESULTS, { recursive: true })
        writeFileSync(`${RESULTS}/overload.svg`, drawOverload(overload.title, compared))
        writeFileSync(`${RESULTS}/overload.json`, JSON.stringify(compared))
      }
      return { suite: overload.name, title: overload.title, cases }
    } finally {
      await folder.remove()
    }
  },
}
