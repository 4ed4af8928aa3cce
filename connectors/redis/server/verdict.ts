import type { RedisConfig } from '../config.ts'
import type { ServerInfo } from '../connection/info.ts'
import type { Finding, State } from './states.ts'

type Rules = Pick<RedisConfig, 'require_noeviction' | 'require_replicas'>

const OLDEST_VERSION = 7

/** Whether a finding makes a server unfit to start with: waiting does not mend it. */
export const isMisfit = ({ refusal }: Finding): boolean => refusal === 'version' || refusal === 'policy'

/** What is wrong with a server, by what it says of itself. */
export function judge(server: ServerInfo, rules: Rules): Finding[] {
  const { version, maxMemory, policy, appendOnly, replicas } = server
  const findings: Finding[] = []
  const warn = (state: State, detail: string): void => {
    findings.push({ state, health: 'degraded', detail })
  }
  const refuse = (state: State | undefined, refusal: string, detail: string): void => {
    findings.push({ state, health: 'failed', detail, refusal })
  }

  if (version !== '' && Number.parseInt(version, 10) < OLDEST_VERSION) {
    refuse(undefined, 'version', `is Redis ${version}: 7.0 or later is needed`)
    return findings
  }
  if (policy !== 'noeviction') {
    const detail = `has maxmemory-policy ${policy || 'unknown'} and may delete logs that were accepted: set noeviction`
    if (rules.require_noeviction) refuse('evicting', 'policy', detail)
    else warn('evicting', detail)
  }
  if (maxMemory === 0)
    warn('no_maxmemory', 'has no maxmemory and grows until the machine has no memory left: set one')
  if (!appendOnly)
    warn('aof_off', 'has appendonly off and loses what it accepted when it ends: set appendonly yes')
  if (server.role === 'slave') refuse('readonly', 'readonly', 'is a replica: let the url lead to the primary')
  if (server.loading) refuse('loading', 'loading', 'is reading its data from disk: it comes back by itself')
  for (const what of server.failedWrites) {
    const detail = `${FAILED_WRITES[what]}: free space on its disk, or see its log`
    if (what === 'aof') refuse('misconf', 'misconf', detail)
    else warn('misconf', detail)
  }
  if (replicas < rules.require_replicas)
    refuse(
      'replica_missing',
      'no_replicas',
      `has ${replicas} of the ${rules.require_replicas} replicas of require_replicas: start the missing ones`,
    )
  else if (server.goodReplicas === 0)
    refuse(
      'replica_missing',
      'no_replicas',
      'has no replica that keeps up, and min-replicas-to-write asks for one: start the missing ones',
    )
  return findings
}

const FAILED_WRITES = {
  aof: 'cannot write its append-only file',
  snapshot: 'could not save its last snapshot',
  rewrite: 'could not rewrite its append-only file, which grows',
} as const
