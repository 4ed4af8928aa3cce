import type { RetryableError } from '../../../src/component.ts'
import type { HealthState } from '../../../src/define.ts'

/** What may be wrong with a server; the metric `sluice_redis_state` has a series for each. */
export const STATES = [
  'evicting',
  'no_maxmemory',
  'aof_off',
  'replica_missing',
  'misconf',
  'readonly',
  'loading',
  'busy',
  'unreachable',
  'failover',
] as const

export type State = (typeof STATES)[number]

/** Something that is wrong with a server. */
export interface Finding {
  /** None where it has no metric of its own. */
  readonly state: State | undefined
  readonly health: Extract<HealthState, 'degraded' | 'failed'>
  /** What is wrong and what to do, for operators. */
  readonly detail: string
  /** Why nothing may be pushed, where nothing may: a word for metrics. */
  readonly refusal?: string
}

/** What answers of the server say of its state, by their reason, and what to do. */
const ANSWERS: Readonly<Record<string, readonly [state: State, advice: string]>> = {
  misconf: ['misconf', 'free space on its disk, or see its log'],
  readonly: ['readonly', 'let the url lead to the primary'],
  loading: ['loading', 'it comes back by itself'],
  busy: ['busy', '`SCRIPT KILL` or `FUNCTION KILL` ends what runs'],
  no_replicas: ['replica_missing', 'start the missing replicas'],
}

/** What the answer to a command says of the server; undefined where it says nothing of it. */
export function findingOf({ reason, message }: RetryableError): Finding | undefined {
  if (!Object.hasOwn(ANSWERS, reason)) return undefined
  const [state, advice] = ANSWERS[reason]
  return { state, health: 'failed', detail: `${message}; ${advice}`, refusal: reason }
}

/**
 * A server that gives no answer, or none of use. Pushes are not refused for that: they have a connection of their
 * own, which may be well, and fail by themselves when it is not.
 */
export function unreachable(detail: string): Finding {
  return { state: 'unreachable', health: 'failed', detail }
}
