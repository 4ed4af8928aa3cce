import { describe, expect, it } from 'vitest'
import { compare, comparisonTable, lower, type Measured, updated } from '../../bench/gate/compare.ts'
import { stagesFor } from '../../bench/gate/stages.ts'

const measured = (ratios: Readonly<Record<string, number>>, judged = true): Measured =>
  new Map(Object.entries(ratios).map(([name, ratio]) => [name, { ratio, judged }]))

const verdicts = (baseline: Readonly<Record<string, number>>, now: Measured) =>
  compare(baseline, now).map(({ name, verdict }) => `${name}: ${verdict}`)

describe('the gate', () => {
  it('names what got slower by more than is allowed', () => {
    const now = measured({ gateway: 3.8, drain: 3.7, whole: 4.4 })

    expect(verdicts({ gateway: 3, drain: 3, whole: 3 }, now)).toEqual([
      'gateway: slower',
      'drain: ok',
      'whole: ok',
    ])
  })

  it('says what got so much faster that the baseline has become too easy', () => {
    expect(verdicts({ gateway: 3 }, measured({ gateway: 2 }))).toEqual(['gateway: faster'])
  })

  it('judges nothing without a baseline, nor while others keep the machine busy', () => {
    expect(verdicts({}, measured({ gateway: 9 }))).toEqual(['gateway: not in the baseline'])
    expect(verdicts({ gateway: 3 }, measured({ gateway: 9 }, false))).toEqual(['gateway: not judged'])
  })

  it('believes the lower of two measurements', () => {
    const best = lower(measured({ gateway: 5, drain: 2 }), measured({ gateway: 3, drain: 4 }))

    expect(verdicts({ gateway: 3, drain: 2 }, best)).toEqual(['gateway: ok', 'drain: ok'])
  })

  it('does not let a measurement that is not judged stand for one that is', () => {
    const best = lower(measured({ whole: 9 }), measured({ whole: 3 }, false))

    expect(verdicts({ whole: 3 }, best)).toEqual(['whole: slower'])
  })

  it('keeps the old value of what is not judged, and forgets what is no longer measured', () => {
    const now: Measured = new Map([...measured({ gateway: 2.00049 }), ...measured({ whole: 9 }, false)])

    expect(updated({ gateway: 3, whole: 5, gone: 1 }, now)).toEqual({ gateway: 2, whole: 5 })
  })

  it('prints a line for each stage', () => {
    const table = comparisonTable(compare({ gateway: 2 }, measured({ gateway: 3, drain: 1 })))

    expect(table.split('\n')).toEqual([
      'CPU per record / reference  baseline   now  change  allowed',
      'gateway                         2.00  3.00    50 %   ± 25 %               slower',
      'drain                              -  1.00       -   ± 25 %  not in the baseline',
    ])
  })
})

describe('the stages of the gate', () => {
  it.each([500, 20])('bring all records of requests of %i through', async (records) => {
    const [gateway, drain] = await stagesFor(records)

    await gateway.round()
    // It throws when one is missing.
    await drain.round()

    expect([gateway.records, drain.records]).toEqual([2000, 2000])
  })
})
