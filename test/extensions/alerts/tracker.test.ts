import { describe, expect, it } from 'vitest'
import type { Finding, Severity } from '../../../extensions/alerts/alert.ts'
import { forwardClock } from '../../../extensions/alerts/clock.ts'
import { Tracker } from '../../../extensions/alerts/tracker.ts'

const RULE = { name: 'SluiceTrouble', description: 'Something is wrong.', forMs: 10_000 }

function finding(severity: Severity, group = 'logs/drain'): Finding {
  return { labels: { group }, severity, summary: `it is ${severity}` }
}

/** What happens when this is found at these seconds; an alert lasts 30 seconds beyond the last finding. */
function storyOf(found: Readonly<Record<number, readonly Finding[]>>): string[] {
  const tracker = new Tracker(30_000)
  return Object.entries(found).flatMap(([second, findings]) =>
    tracker
      .update(
        findings.map((one) => [RULE, one] as const),
        Number(second) * 1000,
      )
      .map(({ occasion, alert }) => `${second} ${occasion} ${alert.severity} ${alert.labels.group}`),
  )
}

const [mild, grave] = [[finding('warning')], [finding('critical')]]

describe('the tracker', () => {
  it('raises an alert when a trouble has lasted, and not before', () => {
    expect(storyOf({ 0: mild, 5: mild, 9: mild, 10: mild, 15: mild })).toEqual([
      '10 firing warning logs/drain',
    ])
  })

  it('raises none for a trouble that was gone in between', () => {
    expect(storyOf({ 0: mild, 5: mild, 8: [], 10: mild, 15: mild })).toEqual([])
  })

  it('ends an alert only when the trouble has been gone for a while', () => {
    expect(storyOf({ 0: mild, 10: mild, 15: [], 39: [], 40: [], 45: [] })).toEqual([
      '10 firing warning logs/drain',
      '40 resolved warning logs/drain',
    ])
  })

  it('makes one alert of what comes and goes', () => {
    expect(storyOf({ 0: mild, 10: mild, 15: [], 20: mild, 30: [], 45: mild, 50: [], 74: [] })).toEqual([
      '10 firing warning logs/drain',
    ])
  })

  it('says when it gets worse, and when it has been better for a while', () => {
    expect(
      storyOf({ 0: mild, 10: mild, 15: grave, 24: grave, 25: grave, 30: mild, 54: mild, 55: mild }),
    ).toEqual([
      '10 firing warning logs/drain',
      '25 severity critical logs/drain',
      '55 severity warning logs/drain',
    ])
  })

  it('begins gravely what is grave at once', () => {
    expect(storyOf({ 0: grave, 10: grave })).toEqual(['10 firing critical logs/drain'])
  })

  it('does not wait anew when a trouble gets milder before it is an alert', () => {
    expect(storyOf({ 0: grave, 5: mild, 10: mild })).toEqual(['10 firing warning logs/drain'])
  })

  it('tells troubles of different places apart, and merges those of the same', () => {
    const both = [finding('warning'), finding('critical'), finding('warning', 'logs/other')]

    expect(storyOf({ 0: both, 10: both })).toEqual([
      '10 firing critical logs/drain',
      '10 firing warning logs/other',
    ])
  })

  it('gives an alert the same id each time and its beginning as long as it lasts', () => {
    const tracker = new Tracker(0)
    const at = (second: number, found: readonly Finding[]) =>
      tracker.update(
        found.map((one) => [{ ...RULE, forMs: 0 }, one] as const),
        second * 1000,
      )

    const [begun] = at(1, mild)
    at(2, mild)
    const [worse] = at(3, grave)
    const [ended] = at(4, [])
    const [again] = at(9, mild)

    expect(new Set([begun, worse, ended, again].map(({ alert }) => alert.id)).size).toBe(1)
    expect(worse).toMatchObject({ before: 'warning', alert: { startedAt: 1000, summary: 'it is critical' } })
    expect(ended.alert).toMatchObject({ startedAt: 1000, endedAt: 4000 })
    expect(again.alert).toMatchObject({ startedAt: 9000 })
    expect(again.alert.endedAt).toBeUndefined()
  })
})

describe('the clock', () => {
  it('runs on when the clock of the machine is set back, and leaps ahead with it', () => {
    let [wall, running] = [1_000_000, 50]
    const clock = forwardClock(
      () => wall,
      () => running,
    )

    expect(clock()).toBe(1_000_000)
    ;[wall, running] = [400_000, 60]
    expect(clock()).toBe(1_000_010)
    ;[wall, running] = [2_000_000, 70]
    expect(clock()).toBe(2_000_000)
  })
})
