import { pino } from 'pino'
import { BulkRenderer } from '../../exporters/elasticsearch/bulk.ts'
import { Targets } from '../../exporters/elasticsearch/target.ts'
import { redaction } from '../../processors/redaction/index.ts'
import { sampling } from '../../processors/sampling/index.ts'
import { traceContext } from '../../processors/trace_context/index.ts'
import { openElement, packElement } from '../../src/buffer/element.ts'
import { GroupCommit } from '../../src/buffer/group-commit.ts'
import type { ComponentContext } from '../../src/define.ts'
import { LogBatch } from '../../src/logs/batch.ts'
import { newIdentityKey } from '../../src/logs/identity.ts'
import { memory } from '../../src/memory.ts'
import { measuredStage, pushThrough } from '../../src/service/stages.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { makePayload } from '../payload.ts'

/** The work of a process without its transport, done in this process. */
export interface Stage {
  readonly name: string
  /** In one round. */
  readonly records: number
  readonly round: () => Promise<void>
}

/** Records of one round: enough that what is left over at its end hardly counts. */
const ROUND_RECORDS = 2000
/** As the connectors' defaults. */
const ELEMENT_BYTES = 1024 * 1024
const LINGER_MS = 5

/** From a request's bytes to an element of the buffer, and from elements to the body of a bulk request. */
export async function stagesFor(recordsPerRequest: number): Promise<readonly [gateway: Stage, drain: Stage]> {
  const payloads = Array.from({ length: ROUND_RECORDS / recordsPerRequest }, (_, seed) =>
    makePayload({ records: recordsPerRequest, seed: seed + 1 }),
  )
  const name = (stage: string): string => `${stage}, ${recordsPerRequest} records a request`
  const elements: Buffer[] = []
  const gateway = gatewayRound(payloads, (element) => elements.push(element))
  await gateway()
  const rendering = drainRound([...elements])
  return [
    {
      name: name('gateway'),
      records: ROUND_RECORDS,
      round: async () => {
        elements.length = 0
        await gateway()
      },
    },
    { name: name('drain'), records: ROUND_RECORDS, round: async () => rendering() },
  ]
}

function gatewayRound(payloads: readonly Buffer[], keep: (element: Buffer) => void): () => Promise<void> {
  const key = newIdentityKey()
  const commit = new GroupCommit({
    elementBytes: ELEMENT_BYTES,
    lingerMs: LINGER_MS,
    pack: (requests) => packElement(requests, 'zstd'),
    maxPendingBytes: Number.POSITIVE_INFINITY,
    // It is freed as soon as it is durable.
    write: async ({ bytes }) => keep(Buffer.from(bytes)),
  })
  const metrics = new Metrics()
  const context = contextOf(metrics)
  const processors = [
    redaction.create(redaction.config.parse({}), context),
    traceContext.create(traceContext.config.parse({}), context),
    sampling.create(sampling.config.parse({}), context),
  ]
  const stages = processors.map((processor, at) => measuredStage(String(at), 'gate', processor, metrics))
  const push = pushThrough(stages, [
    async (batch) => {
      batch.identify(key)
      await commit.add(batch)
    },
  ])
  // The path owns the bytes it is given, so each round starts from fresh ones, in memory that is there already.
  const received = payloads.map((payload) => Buffer.alloc(payload.length))
  const { signal } = new AbortController()
  return async () => {
    const pushed = payloads.map((payload, at) => {
      payload.copy(received[at])
      return push(LogBatch.decode(received[at]), signal)
    })
    commit.flush()
    await Promise.all(pushed)
  }
}

function drainRound(elements: readonly Buffer[]): () => void {
  const renderer = new BulkRenderer(new Targets())
  return () => {
    const batch = LogBatch.concat(elements.map((element) => openElement(element)))
    const { body, records } = renderer.render(batch)
    memory.give(body)
    batch.release()
    if (records.length !== ROUND_RECORDS) {
      throw new Error(`${records.length} of ${ROUND_RECORDS} records came through`)
    }
  }
}

function contextOf(metrics: Metrics): ComponentContext {
  return { id: 'gate', log: pino({ level: 'silent' }), metrics: metrics.bind({}), health: () => {} }
}
