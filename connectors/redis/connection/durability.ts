import type { ConnectionConfig } from './settings.ts'

/** How a server is asked whether what was written before is durable. */
export interface Confirmation {
  /** A word for metrics: why pushes are refused where it is not. */
  readonly reason: string
  /** What such a server, `Redis 7.2.4` for one, is asked; all answers must be good. */
  questions(version: string): readonly Question[]
}

export interface Question {
  readonly command: string
  readonly args: readonly (string | number)[]
  /** Nothing, or what is wrong with the answer. */
  judge(reply: unknown): Shortfall | undefined
}

/** `misfit`: it stays so until somebody changes the settings. */
export interface Shortfall {
  readonly detail: string
  readonly misfit: boolean
}

type Settings = Pick<ConnectionConfig, 'durability' | 'durability_replicas' | 'durability_timeout'>

/**
 * Where WAITAOF waits for the disk with appendfsync everysec too. Redis 7.4 and all of Valkey count as synced what is
 * only written (redis/redis#13793); with always, what is written is synced.
 */
const HONEST = /^Redis (?:7\.2|[89]|\d\d)\./

/** Nothing for `server`, whose word is taken. */
export function confirmationOf(settings: Settings): Confirmation | undefined {
  const { durability, durability_replicas: replicas, durability_timeout: timeout } = settings
  if (durability === 'always') {
    const question = synced((set) => `has ${set}: durability always needs yes and always`)
    return { reason: 'not_durable', questions: () => [question] }
  }
  if (durability === 'wait') {
    const question = wait(replicas ?? 1, timeout)
    return { reason: 'no_replicas', questions: () => [question] }
  }
  if (durability === 'waitaof') {
    const question = waitaof(replicas ?? 0, timeout)
    return {
      reason: 'not_durable',
      questions: (version) => (HONEST.test(version) ? [question] : [question, believable(version)]),
    }
  }
  return undefined
}

function believable(version: string): Question {
  const server = version || 'a server of unknown version'
  return synced((set) => `is ${server} with ${set}, where WAITAOF does not wait for the disk: set always`)
}

function synced(detail: (set: string) => string): Question {
  return {
    command: 'CONFIG',
    args: ['GET', 'append*'],
    judge(reply) {
      const values = (reply as Buffer[]).map(String)
      const valueOf = (name: string): string | undefined => values[values.indexOf(name) + 1]
      const [appendOnly, appendFsync] = [valueOf('appendonly'), valueOf('appendfsync')]
      if (appendOnly === 'yes' && appendFsync === 'always') return undefined
      return { detail: detail(`appendonly ${appendOnly} and appendfsync ${appendFsync}`), misfit: true }
    },
  }
}

function wait(replicas: number, timeout: number): Question {
  return {
    command: 'WAIT',
    args: [replicas, timeout],
    judge(reply) {
      if (Number(reply) >= replicas) return undefined
      return short(`has what was written on ${Number(reply)} replicas: durability wait needs ${replicas}`)
    },
  }
}

function waitaof(replicas: number, timeout: number): Question {
  return {
    command: 'WAITAOF',
    args: [1, replicas, timeout],
    judge(reply) {
      const [local, others] = (reply as readonly unknown[]).map(Number)
      if (local >= 1 && others >= replicas) return undefined
      const disks = local >= 1 ? `the disks of ${others} replicas` : 'no disk of its own'
      return short(`has what was written on ${disks}: durability waitaof needs its own and ${replicas}`)
    },
  }
}

const short = (detail: string): Shortfall => ({ detail, misfit: false })
