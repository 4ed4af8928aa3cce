import type { ComponentContext, HealthState } from '../define.ts'

type Report = ComponentContext['health']

/** Lets two speak for one component: what `own` says counts, unless it is well and `trouble` has something to say. */
export function sharedHealth(report: Report): {
  readonly own: Report
  readonly trouble: (problem: string | undefined) => void
} {
  let state: HealthState | undefined
  let detail: string | undefined
  let problem: string | undefined
  const tell = (): void => {
    if (state === undefined) return
    if (state === 'ok' && problem !== undefined) report('degraded', problem)
    else report(state, detail)
  }
  return {
    own: (newState, newDetail) => {
      state = newState
      detail = newDetail
      tell()
    },
    trouble: (newProblem) => {
      problem = newProblem
      tell()
    },
  }
}
