import { describe, expect, it } from 'vitest'
import { traceContext } from '../../processors/trace_context/index.ts'
import { never, testContext } from '../support/component.ts'
import { attributes, batchOf, type Document, documentsOf, text } from '../support/otlp.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
const OTHER_TRACE = '11111111111111111111111111111111'
const OTHER_SPAN = '2222222222222222'

async function run(record: object, config: object = {}) {
  const batch = batchOf([record])
  const context = testContext()
  await traceContext.create(traceContext.config.parse(config), context).process(batch, never)
  const [document] = documentsOf(batch)
  return { ids: idsOf(document), context, batch }
}

const idsOf = ({ trace_id, span_id, trace_flags }: Document) => ({ trace_id, span_id, trace_flags })

describe('trace_context', () => {
  it('fills all three fields from a traceparent', async () => {
    const { ids, context } = await run({
      attributes: attributes({ traceparent: text(`00-${TRACE}-${SPAN}-01`) }),
    })

    expect(ids).toEqual({ trace_id: TRACE, span_id: SPAN, trace_flags: 1 })
    expect(await context.value('sluice_trace_context_log_records_total', { outcome: 'filled' })).toBe(1)
  })

  it('fills them from single attributes', async () => {
    const record = {
      attributes: attributes({ traceId: text(TRACE), spanId: text(SPAN), trace_flags: text('01') }),
    }
    expect((await run(record)).ids).toEqual({ trace_id: TRACE, span_id: SPAN, trace_flags: 1 })
  })

  it('reads the attributes that the config names', async () => {
    const record = { attributes: attributes({ 'x-trace': text(TRACE) }) }
    expect((await run(record, { trace_id: ['x-trace'] })).ids.trace_id).toBe(TRACE)
  })

  it('never overwrites valid ids', async () => {
    const record = {
      traceId: OTHER_TRACE,
      spanId: OTHER_SPAN,
      attributes: attributes({ traceparent: text(`00-${TRACE}-${SPAN}-01`) }),
    }
    expect((await run(record)).ids).toEqual({
      trace_id: OTHER_TRACE,
      span_id: OTHER_SPAN,
      trace_flags: undefined,
    })
  })

  it('clears ids that are all zeros, and counts it', async () => {
    const { ids, context } = await run({ traceId: '0'.repeat(32), spanId: '0'.repeat(16) })

    expect(ids).toEqual({ trace_id: undefined, span_id: undefined, trace_flags: undefined })
    expect(await context.value('sluice_trace_context_log_records_total', { outcome: 'cleared' })).toBe(1)
  })

  it('replaces an invalid trace id by one from an attribute', async () => {
    const record = {
      traceId: '0'.repeat(32),
      attributes: attributes({ traceparent: text(`00-${TRACE}-${SPAN}-00`) }),
    }
    expect((await run(record)).ids).toEqual({ trace_id: TRACE, span_id: SPAN, trace_flags: undefined })
  })

  it.each([
    ['of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['of version ff', `ff-${TRACE}-${SPAN}-01`],
    ['cut short', `00-${TRACE}-${SPAN}`],
    ['of other letters', `00-${TRACE.replace('4', 'z')}-${SPAN}-01`],
  ])('ignores a traceparent %s', async (_, traceparent) => {
    expect(
      (await run({ attributes: attributes({ traceparent: text(traceparent) }) })).ids.trace_id,
    ).toBeUndefined()
  })

  it('keeps everything else of the record', async () => {
    const { batch } = await run({
      body: text('hello'),
      severityNumber: 9,
      attributes: attributes({ traceparent: text(`00-${TRACE}-${SPAN}-01`), n: { intValue: '5' } }),
    })

    const [document] = documentsOf(batch)
    expect(document).toMatchObject({ body: { text: 'hello' }, severity_number: 9, attributes: { n: 5 } })
  })
})
