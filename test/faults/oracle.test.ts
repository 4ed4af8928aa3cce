import { describe, expect, it } from 'vitest'
import { Documents } from './kit/documents.ts'
import { Ledger } from './kit/ledger.ts'
import { judge, KEPT } from './kit/oracle.ts'

/** Ten records, all acknowledged, and a sink that has them but for what `spoil` does to one. */
function delivered(spoil: (seq: number) => { seq?: number; hash?: number; times?: number }) {
  const ledger = new Ledger()
  ledger.acknowledge(ledger.issue(10))
  const documents = new Documents()
  for (let seq = 0; seq < 10; seq++) {
    const { seq: as = seq, hash = ledger.hashOf(seq), times = 1 } = spoil(seq)
    for (let time = 0; time < times; time++) documents.create({ id: `${seq}-${time}`, seq: as, hash })
  }
  return { ledger, documents }
}

describe('the oracle', () => {
  it('is content when everything acknowledged is there once and unchanged', () => {
    const { ledger, documents } = delivered(() => ({}))

    expect(judge(ledger, documents)).toEqual(KEPT)
  })

  it('misses a record that was acknowledged and not delivered, and no other', () => {
    const { ledger, documents } = delivered((seq) => ({ times: seq === 4 ? 0 : 1 }))
    ledger.issue(5)

    expect(judge(ledger, documents)).toEqual({ ...KEPT, lost: [4] })
  })

  it('finds a record that nobody sent', () => {
    const { ledger, documents } = delivered((seq) => ({ seq: seq === 9 ? 77 : seq }))

    expect(judge(ledger, documents)).toEqual({ ...KEPT, lost: [9], invented: [77] })
  })

  it('finds a record that was changed on its way', () => {
    const { ledger, documents } = delivered((seq) => (seq === 3 ? { hash: 1 } : {}))

    expect(judge(ledger, documents)).toEqual({ ...KEPT, altered: [3] })
  })

  it('finds a record that has two documents', () => {
    const { ledger, documents } = delivered((seq) => ({ times: seq === 6 ? 2 : 1 }))

    expect(judge(ledger, documents)).toEqual({ ...KEPT, doubled: [6] })
  })

  it('finds a record that is hidden behind the id of another one', () => {
    const { ledger, documents } = delivered((seq) => ({ times: seq === 6 ? 0 : 1 }))
    expect(documents.create({ id: '5-0', seq: 6, hash: ledger.hashOf(6) })).toBe(409)

    expect(judge(ledger, documents)).toEqual({ ...KEPT, lost: [6], collided: [6] })
  })

  it('takes the same document twice for a repetition, which harms nobody', () => {
    const { ledger, documents } = delivered(() => ({}))
    expect(documents.create({ id: '2-0', seq: 2, hash: ledger.hashOf(2) })).toBe(409)

    expect(judge(ledger, documents)).toEqual(KEPT)
    expect(documents.repeated).toBe(1)
  })
})
