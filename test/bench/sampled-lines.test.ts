import { describe, expect, it } from 'vitest'
import { SampledLines } from '../../bench/sampled-lines.ts'

const bulk = (documents: number): Buffer =>
  Buffer.from(
    Array.from(
      { length: documents },
      (_, at) => `{"create":{"_id":"${at}"}}\n{"@timestamp":"${1_700_000_000_000 + at}.250000","n":1}\n`,
    ).join(''),
  )

describe('the lines of a bulk request', () => {
  it('are counted, and one document in a hundred gives its time', () => {
    const lines = new SampledLines()

    lines.read(bulk(201))

    expect(lines.count).toBe(402)
    expect(lines.times).toEqual([1_700_000_000_000.25, 1_700_000_000_100.25, 1_700_000_000_200.25])
  })

  it('are the same however they are cut, but for documents that are cut themselves', () => {
    const body = bulk(301)

    for (const size of [1, 7, 50, 1000]) {
      const lines = new SampledLines()
      for (let at = 0; at < body.length; at += size) lines.read(body.subarray(at, at + size))

      expect(lines.count).toBe(602)
      for (const time of lines.times) expect(time % 100).toBe(0.25)
    }
  })
})
