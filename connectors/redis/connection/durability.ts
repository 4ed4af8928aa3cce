import type { ConnectionConfig } from './settings.ts'

/** How a server is asked whether what was written before is durable. */
export interface Confirmation {
  /** A word for metrics: why pushes are refused where it is not. */
  readonly reason: string
  /** What a server of this version is asked; all answers must be good. */
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

/** From here on WAITAOF can be believed with appendfsync everysec. Valkey calls itself 7.2.4 here. */
const HONEST = 8

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
      questions: (version) => (Number.parseInt(version, 10) >= HONEST ? [question] : [question, believable]),
    }
  }
  return undefined
}

/** With appendfsync everysec, Redis 7 and Valkey count as synced what is only written (redis/redis#13793). */
const believable = synced(
  (set) => `has ${set}: before Redis 8, and in Valkey, WAITAOF waits for the disk with always only`,
)

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
