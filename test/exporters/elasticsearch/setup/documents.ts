import { expect, it } from 'vitest'
import type { SetupPlan } from '../../../../src/setup.ts'
import { TRACE_ID } from '../payloads.ts'
import { type Place, type Setup, statesOf } from './kit.ts'

/** What is made ready for documents of the usual modes. */
export const BOTH: Setup = { modes: ['otel', 'ecs'], refresh_interval: '1s' }

const SEARCHES = [
  {
    mode: 'otel',
    trace: { trace_id: TRACE_ID },
    attribute: { 'attributes.http.request.method': 'POST' },
    text: { 'body.text': 'accepted' },
  },
  {
    mode: 'ecs',
    trace: { 'trace.id': TRACE_ID },
    attribute: { 'http.request.method': 'POST' },
    text: { message: 'accepted' },
  },
] as const

/** Documents of all languages are taken, and found by all that people look for. */
export function documentsAreFound(place: () => Place, more = (_streams: string): object => ({})): void {
  it.each(SEARCHES)(
    'takes documents of mode $mode, and finds them',
    async ({ mode, trace, attribute, text }) => {
      const streams = place().streams(mode)

      expect(await place().deliver(mode, undefined, more(streams))).toEqual([])

      expect(await place().count(streams, { match_all: {} })).toBe(9)
      expect(await place().count(streams, { term: trace })).toBe(6)
      expect(await place().count(streams, { term: attribute })).toBe(1)
      expect(await place().count(streams, { match: text })).toBe(1)
    },
  )
}

/** A second run has nothing to do. */
export async function setUpTwice(place: Place, setup: Setup): Promise<SetupPlan> {
  const first = await place.setup(setup).plan()
  await place.setup(setup).apply(first)
  const second = await place.setup(setup).plan()
  expect(statesOf(first)).toEqual({ missing: first.steps.length })
  expect(statesOf(second)).toEqual({ same: first.steps.length })
  return first
}
