import type { HealthState } from '../../../src/define.ts'
import type { RedisConfig } from '../config.ts'
import type { ServerInfo } from '../connection/info.ts'

/** What the state of a server means for the buffer. */
export interface Verdict {
  readonly health: HealthState
  /** For operators; empty when all is well. */
  readonly detail: string
  /** Why nothing may be pushed: a word for metrics. */
  readonly refusal: 'policy' | 'version' | 'watermark' | undefined
  /** Share of maxmemory in use; 0 where there is none. */
  readonly memoryRatio: number
}

type Rules = Pick<RedisConfig, 'require_noeviction' | 'memory_high_watermark' | 'memory_low_watermark'>

const OLDEST_VERSION = 7

/** Judges a server; `above`: the memory was over the high watermark, and has not been below the low one since. */
export function judge(server: ServerInfo, rules: Rules, above: boolean): Verdict {
  const { version, usedMemory, maxMemory, policy, appendOnly } = server
  const memoryRatio = maxMemory > 0 ? usedMemory / maxMemory : 0
  const verdict = (health: HealthState, detail: string, refusal?: Verdict['refusal']): Verdict => ({
    health,
    detail,
    refusal,
    memoryRatio,
  })
  if (version !== '' && Number.parseInt(version, 10) < OLDEST_VERSION) {
    return verdict('failed', `is Redis ${version}: 7.0 or later is needed`, 'version')
  }
  const evicts = policy !== 'noeviction'
  if (evicts && rules.require_noeviction) {
    const detail = `has maxmemory-policy ${policy || 'unknown'} and may delete logs that were accepted: set noeviction`
    return verdict('failed', detail, 'policy')
  }
  const troubles: string[] = []
  const refusing = memoryRatio >= (above ? rules.memory_low_watermark : rules.memory_high_watermark)
  if (refusing) {
    const resumes = percent(rules.memory_low_watermark)
    troubles.push(
      `uses ${percent(memoryRatio)} of its maxmemory: pushes are refused until it is below ${resumes}`,
    )
  }
  if (evicts)
    troubles.push(`has maxmemory-policy ${policy || 'unknown'} and may delete logs that were accepted`)
  if (maxMemory === 0) troubles.push('has no maxmemory: it grows until the machine has no memory left')
  if (!appendOnly) troubles.push('has appendonly off: what was accepted is lost when it ends')
  const health = troubles.length > 0 ? 'degraded' : 'ok'
  return verdict(health, troubles.join('; '), refusing ? 'watermark' : undefined)
}

const percent = (share: number): string => `${Math.floor(share * 100)}%`
