import type { Severity } from '../alert.ts'
import type { History, Sample } from '../history.ts'
import { componentOf, defineRule, type Rule, severity } from './rule.ts'

const STATE = 'sluice_redis_state'

interface RedisState {
  readonly state: string
  readonly name: string
  readonly usual: Severity
  readonly meaning: string
  readonly action: string
  readonly summary: string
  /** A gauge that is 0 in this state, for servers whose state is not told otherwise. */
  readonly zero?: string
}

const STATES: readonly RedisState[] = [
  {
    state: 'evicting',
    name: 'SluiceRedisMayEvict',
    usual: 'critical',
    meaning: 'The server may delete logs that were accepted: its maxmemory-policy is not noeviction.',
    action: 'CONFIG SET maxmemory-policy noeviction, and put it in the configuration of the server.',
    summary: 'Redis may delete logs that were accepted: its maxmemory-policy is not noeviction',
    zero: 'sluice_redis_noeviction',
  },
  {
    state: 'no_maxmemory',
    name: 'SluiceRedisNoMaxmemory',
    usual: 'warning',
    meaning: 'The server has no maxmemory: it grows until the machine has no memory left.',
    action: 'CONFIG SET maxmemory, below what the machine has for it.',
    summary: 'Redis has no maxmemory and grows until the machine has no memory left',
    zero: 'sluice_redis_maxmemory_bytes',
  },
  {
    state: 'aof_off',
    name: 'SluiceRedisNotDurable',
    usual: 'warning',
    meaning: 'The server has appendonly off: what was accepted is lost when it ends.',
    action: 'CONFIG SET appendonly yes, and put it in the configuration of the server.',
    summary: 'Redis has appendonly off: what was accepted is lost when it ends',
    zero: 'sluice_redis_appendonly',
  },
  {
    state: 'replica_missing',
    name: 'SluiceRedisReplicaMissing',
    usual: 'warning',
    meaning: 'Fewer replicas are connected than are wanted: a failover may lose what was accepted.',
    action: 'Look at the replicas and their connection (INFO replication).',
    summary: 'Redis has fewer replicas than are wanted',
  },
  {
    state: 'misconf',
    name: 'SluiceRedisCannotPersist',
    usual: 'critical',
    meaning: 'The server cannot write to its disk, and may refuse logs for that (MISCONF).',
    action: 'Look at the disk and the log of the server (INFO persistence).',
    summary: 'Redis cannot write to its disk (MISCONF)',
  },
  {
    state: 'readonly',
    name: 'SluiceRedisReadOnly',
    usual: 'critical',
    meaning: 'The server is a replica and takes no writes.',
    action: 'Point Sluice at the primary, or promote this server.',
    summary: 'Redis is a replica and takes no writes',
  },
  {
    state: 'loading',
    name: 'SluiceRedisLoading',
    usual: 'warning',
    meaning: 'The server is reading its data after a start and answers nothing yet.',
    action: 'Wait; if it takes long, look at the log of the server.',
    summary: 'Redis is reading its data and answers nothing yet',
  },
  {
    state: 'busy',
    name: 'SluiceRedisBusy',
    usual: 'warning',
    meaning: 'A script blocks the server.',
    action: 'Find who runs it (SLOWLOG GET, CLIENT LIST); SCRIPT KILL ends one that has not written.',
    summary: 'Redis is blocked by a script',
  },
  {
    state: 'unreachable',
    name: 'SluiceRedisUnreachable',
    usual: 'critical',
    meaning: 'The server does not answer: logs are refused and nothing is delivered.',
    action: 'Look whether the server runs and the network lets Sluice reach it.',
    summary: 'Redis does not answer: logs are refused and nothing is delivered',
    zero: 'sluice_redis_connected',
  },
  {
    state: 'failover',
    name: 'SluiceRedisFailover',
    usual: 'warning',
    meaning:
      'The server was restarted, or another one has taken its place: what had not reached the disk or the other one is lost.',
    action: 'Find out why; the log of the servers says what happened.',
    summary: 'Redis was restarted, or another server has taken its place',
  },
]

export const redisRules: readonly Rule[] = STATES.map(({ state, name, usual, summary, zero, ...texts }) =>
  defineRule({
    key: `redis_${state}`,
    name,
    ...texts,
    settings: { severity: severity(usual) },
    find(history, settings) {
      const labels = inState(history, state, zero).map((sample) => componentOf(sample.labels))
      return labels.map((found) => ({ labels: found, severity: settings.severity, summary }))
    },
  }),
)

/** Whose server is in this state. */
function inState(history: History, state: string, zero: string | undefined): Sample[] {
  const told = history.now(STATE, { state })
  if (told.length > 0 || zero === undefined) return told.filter(({ value }) => value > 0)
  return history.now(zero).filter(({ value }) => value === 0)
}
