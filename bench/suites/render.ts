import { LogBatch } from '../../src/logs/batch.ts'
import { Documents } from '../../src/logs/ndjson/documents.ts'
import { ECS } from '../../src/logs/ndjson/fields/ecs.ts'
import { FieldMapping } from '../../src/logs/ndjson/fields/field-mapping.ts'
import { NONE, RAW } from '../../src/logs/ndjson/fields/plain.ts'
import type { FieldScheme } from '../../src/logs/ndjson/fields/scheme.ts'
import type { JsonWriter } from '../../src/logs/ndjson/json-writer.ts'
import type { Mapping } from '../../src/logs/ndjson/mapping.ts'
import { OtelMapping } from '../../src/logs/ndjson/otel-document.ts'
import { RecordJson } from '../../src/logs/ndjson/record-json.ts'
import { writeJson } from '../../src/logs/ndjson/write-json.ts'
import { memory } from '../../src/memory.ts'
import { RENDER } from '../budgets.ts'
import { atMost, type Case, figure } from '../figures.ts'
import { makePayload } from '../payload.ts'
import { BUDGET_MACHINE, Reference } from '../reference.ts'
import type { Suite } from './suite.ts'

const RECORDS = 500
const PAYLOADS = 4
const WARM_UP_ROUNDS = 20
const ROUNDS = 10
const REFERENCE_TIMES = 5
const TARGET = {
  dataStream: Buffer.from(',"data_stream":{"type":"logs","dataset":"shop","namespace":"default"}'),
}

/** What writes documents, by the name of its case. */
const MAPPINGS: Readonly<Record<string, () => Mapping>> = {
  'otel, kernel': () => new OtelMapping(),
  'otel, TypeScript': () => new OtelMapping(new RecordJson('epoch_millis')),
  'ecs, TypeScript': () => fields(ECS),
  'none, TypeScript': () => fields(NONE),
  'raw, TypeScript': () => fields(RAW),
}
const fields = (scheme: FieldScheme): Mapping => new FieldMapping(scheme)

/** CPU per record of turning wire bytes into documents, alone in this process; modes take turns in every run. */
export const render: Suite = {
  name: 'render',
  title: 'Documents, by mapping mode',
  async run({ runs }, progress) {
    const batches = Array.from({ length: PAYLOADS }, (_, seed) =>
      LogBatch.decode(makePayload({ records: RECORDS, seed: seed + 1 })),
    )
    const modes = Object.entries(MAPPINGS).map(([name, make]) => ({
      name,
      write: writerOf(make(), { withKernel: name.endsWith('kernel') }),
      taken: [] as number[],
    }))
    progress(`render: ${modes.map(({ name }) => name).join('; ')}`)
    for (const { write } of modes) for (let round = 0; round < WARM_UP_ROUNDS; round++) batches.forEach(write)
    const reference = new Reference()
    const slowness: number[] = []
    while (slowness.length < runs) {
      slowness.push(reference.sample(REFERENCE_TIMES) / BUDGET_MACHINE)
      for (const { write, taken } of modes) {
        const started = process.cpuUsage()
        for (let round = 0; round < ROUNDS; round++) batches.forEach(write)
        const { user, system } = process.cpuUsage(started)
        taken.push((user + system) / (ROUNDS * PAYLOADS * RECORDS))
      }
    }
    const cases = modes.map(
      ({ name, taken }): Case => ({
        name,
        figures: [
          figure('CPU per record', { unit: 'µs', runs: taken, slowness, budget: atMost(RENDER[name]) }),
          figure('slowness', { unit: 'times', runs: slowness }),
        ],
      }),
    )
    return { suite: 'render', title: render.title, cases }
  },
}

function writerOf(mapping: Mapping, through: { readonly withKernel: boolean }): (batch: LogBatch) => void {
  const documents = new Documents({
    destination: () => ({ mapping, target: TARGET }),
    failed: (_, error) => {
      throw error
    },
  })
  return (batch) => {
    const write = (out: JsonWriter): void => documents.render(batch, out)
    memory.give(writeJson(batch.byteLength * 2, write, through))
  }
}
