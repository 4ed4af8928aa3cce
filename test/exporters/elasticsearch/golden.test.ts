import { readFileSync, writeFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { BulkRenderer } from '../../../exporters/elasticsearch/bulk.ts'
import { Mappings } from '../../../exporters/elasticsearch/mappings.ts'
import { Targets } from '../../../exporters/elasticsearch/target.ts'
import { LogBatch } from '../../../src/logs/batch.ts'
import { MAPPING_MODES, type MappingMode } from '../../../src/logs/ndjson/mapping.ts'
import { memory } from '../../../src/memory.ts'
import { type Payload, payloads } from './payloads.ts'

/** `SLUICE_UPDATE_GOLDEN=1` writes what is rendered; read it before it is committed. */
const UPDATE = process.env.SLUICE_UPDATE_GOLDEN === '1'
const RECEIVED_MS = 1_790_000_001_000

let sent: readonly Payload[]
beforeAll(async () => {
  sent = await payloads('golden')
})

/** Actions, documents and refusals by language, with numbers as they are written. */
function rendered(mode: MappingMode): object {
  const renderer = new BulkRenderer(new Targets(), new Mappings({ mode, allowed: [mode] }), {
    attribute: true,
    batch: true,
  })
  return Object.fromEntries(
    sent.map(({ language, bytes }) => {
      const batch = LogBatch.decode(bytes, RECEIVED_MS)
      // The ids themselves are told of elsewhere.
      for (const part of batch.data.parts) part.id = Buffer.from(language)
      const { body, rejected } = renderer.render(batch)
      const lines = body.toString().split('\n').slice(0, -1).map(parse)
      memory.give(body)
      const documents = lines.flatMap((action, at) =>
        at % 2 === 0 ? [{ ...(action as object), document: lines[at + 1] }] : [],
      )
      return [language, rejected.length === 0 ? { documents } : { documents, rejected }]
    }),
  )
}

/** Every number as its text: JavaScript's are too small for some. */
function parse(json: string): unknown {
  return JSON.parse(json, (_, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' ? { number: context?.source } : value,
  )
}

describe('what Elasticsearch gets of four languages', () => {
  it.each(MAPPING_MODES)('is in mode %s what stands in the golden file', (mode) => {
    const file = new URL(`golden/${mode}.json`, import.meta.url)
    const documents = rendered(mode)
    if (UPDATE) writeFileSync(file, `${JSON.stringify(documents, null, 2)}\n`)

    expect(documents).toEqual(JSON.parse(readFileSync(file, 'utf8')))
  })
})
