import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ContentLimits } from '../../src/logs/limit.ts'
import {
  type AnyValue,
  encodeRequest,
  filterRecords,
  type KeyValue,
  type Request,
  recordsOf,
  withoutEmpty,
} from '../oracle/oracle.ts'
import { runs, sample } from '../support/arbitraries.ts'
import { contentOf, decoded, replaceA, rewritten, scanForA } from './edits.ts'

const NONE = Number.POSITIVE_INFINITY
const UNLIMITED: ContentLimits = {
  attributes: NONE,
  key: NONE,
  value: NONE,
  body: NONE,
  whenOver: 'truncate',
}
const most = (max: number) => fc.oneof(fc.integer({ min: 1, max }), fc.constant(NONE))
const someLimits = (whenOver: ContentLimits['whenOver']): fc.Arbitrary<ContentLimits> =>
  fc.record({
    attributes: most(4),
    key: most(20),
    value: most(150),
    body: most(150),
    whenOver: fc.constant(whenOver),
  })

const utf8 = new TextEncoder()

/** The object model of what limits do: the same, said in another way. */
class Model {
  readonly counts = { attributes: 0, key: 0, value: 0, body: 0 }
  readonly #limits: ContentLimits

  constructor(limits: ContentLimits) {
    this.#limits = limits
  }

  text(text: string, limit: 'key' | 'value' | 'body'): string {
    if (utf8.encode(text).length <= this.#limits[limit]) return text
    this.counts[limit]++
    let kept = ''
    for (const character of text) {
      if (utf8.encode(kept + character).length > this.#limits[limit]) break
      kept += character
    }
    return kept
  }

  value(any: AnyValue | undefined, limit: 'value' | 'body'): void {
    const kind = any?.value
    if (kind?.case === 'stringValue') kind.value = this.text(kind.value, limit)
    else if (kind?.case === 'bytesValue' && kind.value.length > this.#limits[limit]) {
      kind.value = kind.value.slice(0, this.#limits[limit])
      this.counts[limit]++
    } else if (kind?.case === 'arrayValue') for (const item of kind.value.values) this.value(item, limit)
    else if (kind?.case === 'kvlistValue') for (const item of kind.value.values) this.keyValue(item, limit)
  }

  keyValue(attribute: KeyValue, limit: 'value' | 'body'): void {
    attribute.key = this.text(attribute.key, 'key')
    this.value(attribute.value, limit)
  }

  attributes(message: { attributes: KeyValue[]; droppedAttributesCount: number } | undefined): void {
    if (message === undefined) return
    const left = message.attributes.splice(
      Math.min(this.#limits.attributes, message.attributes.length),
    ).length
    this.counts.attributes += left
    message.droppedAttributesCount = Math.min(message.droppedAttributesCount + left, 0xffffffff)
    for (const attribute of message.attributes) this.keyValue(attribute, 'value')
  }

  record(record: Request['resourceLogs'][number]['scopeLogs'][number]['logRecords'][number]): void {
    this.attributes(record)
    record.severityText = this.text(record.severityText, 'value')
    record.eventName = this.text(record.eventName, 'value')
    this.value(record.body, 'body')
  }

  scope(scope: Request['resourceLogs'][number]['scopeLogs'][number]['scope']): void {
    this.attributes(scope)
    if (scope === undefined) return
    scope.name = this.text(scope.name, 'value')
    scope.version = this.text(scope.version, 'value')
  }
}

/** The request cut by the model, and what that took. */
function cutByModel(request: Request, limits: ContentLimits): { cut: Request; counts: Model['counts'] } {
  const cut = structuredClone(request)
  const model = new Model(limits)
  for (const { resource, scopeLogs } of cut.resourceLogs) {
    model.attributes(resource)
    for (const { scope, logRecords } of scopeLogs) {
      model.scope(scope)
      for (const record of logRecords) model.record(record)
    }
  }
  return { cut: withoutEmpty(cut), counts: model.counts }
}

/** Whether anything is over, by the model. */
function isOver(limits: ContentLimits, measure: (model: Model) => void): boolean {
  const model = new Model(limits)
  measure(model)
  return Object.values(model.counts).some((count) => count > 0)
}

const withBody = (text: string, more: object = {}): Buffer =>
  encodeRequest({
    resourceLogs: [
      { scopeLogs: [{ logRecords: [{ body: { value: { case: 'stringValue', value: text } }, ...more }] }] },
    ],
  })

describe('content limits', () => {
  it('cut what the model cuts, count it, and keep dropped_attributes_count right', () => {
    fc.assert(
      fc.property(sample, someLimits('truncate'), ({ request, bytes }, limits) => {
        const { cut, counts } = cutByModel(request, limits)
        const batch = decoded(bytes)
        batch.limit(limits)
        expect(contentOf(batch)).toEqual(cut)

        // Of a text that is there twice the first counts for nothing, but may have been cut.
        const plain = decoded(encodeRequest(request))
        const limited = plain.limit(limits)
        const none = { attributes: 0, key: 0, value: 0, body: 0 }
        expect([limited?.cut ?? none, limited?.refused ?? none]).toEqual([counts, none])
        expect(contentOf(plain)).toEqual(cut)
      }),
      runs(300),
    )
  })

  it('leave out the records that the model finds over them, with those of a resource or scope that is', () => {
    fc.assert(
      fc.property(sample, someLimits('refuse'), ({ request }, limits) => {
        const kept = recordsOf(structuredClone(request)).map(
          ({ record, scope, resource }) =>
            !isOver(limits, (model) => {
              model.attributes(structuredClone(resource))
              model.scope(structuredClone(scope))
              model.record(record)
            }),
        )
        const batch = decoded(encodeRequest(request))

        const limited = batch.limit(limits)

        const refused = Object.values(limited?.refused ?? {}).reduce((sum, count) => sum + count, 0)
        expect(refused).toBe(kept.filter((keep) => !keep).length)
        expect(batch.size).toBe(kept.length - refused)
        expect(contentOf(batch)).toEqual(filterRecords(request, (record) => kept[record] ?? false))
        expect(batch.takeDrops().size).toBe(0)
      }),
      runs(300),
    )
  })

  it('go before what processors do', () => {
    fc.assert(
      fc.property(sample, someLimits('truncate'), ({ request, bytes }, limits) => {
        const batch = decoded(bytes)

        batch.limit(limits)
        batch.rewriteTexts(scanForA, replaceA, 'failed')

        expect(contentOf(batch)).toEqual(rewritten(cutByModel(request, limits).cut, replaceA))
      }),
      runs(),
    )
  })

  it('that nothing exceeds leave the batch alone, to the byte', () => {
    fc.assert(
      fc.property(sample, ({ bytes }) => {
        const batch = decoded(bytes)
        expect(batch.limit(UNLIMITED)).toBeUndefined()
        expect(batch.data.edits.size).toBe(0)
      }),
      runs(30),
    )
  })

  it.each([
    ['a', 3, 'aaa'],
    ['é', 3, 'é'],
    ['漢', 5, '漢'],
    ['😀', 7, '😀'],
    ['😀', 3, ''],
  ])('never cut inside a character: %s to %i bytes', (character, body, expected) => {
    const batch = decoded(withBody(character.repeat(9)))
    batch.limit({ ...UNLIMITED, body })
    const [{ record }] = recordsOf(contentOf(batch))
    expect(record.body?.value).toEqual({ case: 'stringValue', value: expected })
  })

  it('hold a record with a million attributes to a few, and say how many there were', () => {
    const attributes = Array.from({ length: 1_000_000 }, () => ({ key: 'k' }))
    const batch = decoded(withBody('a', { attributes, droppedAttributesCount: 7 }))
    batch.limit({ ...UNLIMITED, attributes: 128 })
    const [{ record }] = recordsOf(contentOf(batch))
    expect([record.attributes.length, record.droppedAttributesCount]).toEqual([128, 999_879])
  })

  it('do not let dropped_attributes_count run over', () => {
    const attributes = [{ key: 'a' }, { key: 'b' }]
    const batch = decoded(withBody('a', { attributes, droppedAttributesCount: 0xffffffff }))
    batch.limit({ ...UNLIMITED, attributes: 1 })
    expect(recordsOf(contentOf(batch))[0].record.droppedAttributesCount).toBe(0xffffffff)
  })
})
