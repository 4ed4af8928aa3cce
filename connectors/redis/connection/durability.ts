import type { ConnectionConfig } from './settings.ts'

/** How a server is asked whether what was written before is durable, and what is wrong with its answer. */
export interface Confirmation {
  readonly command: string
  readonly args: readonly (string | number)[]
  /** A word for metrics: why pushes are refused where it is not. */
  readonly reason: string
  /** Nothing, or what is missing. `misfit`: it stays so until somebody changes the settings. */
  judge(reply: unknown): Shortfall | undefined
}

export interface Shortfall {
  readonly detail: string
  readonly misfit: boolean
}

type Settings = Pick<ConnectionConfig, 'durability' | 'durability_replicas' | 'durability_timeout'>

/** Nothing for `server`, whose word is taken. */
export function confirmationOf(settings: Settings): Confirmation | undefined {
  const { durability, durability_replicas: replicas, durability_timeout: timeout } = settings
  if (durability === 'always') return always
  if (durability === 'wait') return wait(replicas ?? 1, timeout)
  if (durability === 'waitaof') return waitaof(replicas ?? 0, timeout)
  return undefined
}

const always: Confirmation = {
  command: 'CONFIG',
  args: ['GET', 'append*'],
  reason: 'not_durable',
  judge(reply) {
    const values = (reply as Buffer[]).map(String)
    const valueOf = (name: string): string | undefined => values[values.indexOf(name) + 1]
    const appendOnly = valueOf('appendonly')
    const appendFsync = valueOf('appendfsync')
    if (appendOnly === 'yes' && appendFsync === 'always') return undefined
    const detail = `has appendonly ${appendOnly} and appendfsync ${appendFsync}: durability always needs yes and always`
    return { detail, misfit: true }
  },
}

function wait(replicas: number, timeout: number): Confirmation {
  return {
    command: 'WAIT',
    args: [replicas, timeout],
    reason: 'no_replicas',
    judge(reply) {
      if (Number(reply) >= replicas) return undefined
      return short(`${Number(reply)} replicas have what was written: durability wait needs ${replicas}`)
    },
  }
}

function waitaof(replicas: number, timeout: number): Confirmation {
  return {
    command: 'WAITAOF',
    args: [1, replicas, timeout],
    reason: 'not_durable',
    judge(reply) {
      const [local, others] = (reply as readonly unknown[]).map(Number)
      if (local >= 1 && others >= replicas) return undefined
      const disks = local >= 1 ? `the disks of ${others} replicas` : 'no disk of its own'
      return short(`has what was written on ${disks}: durability waitaof needs its own and ${replicas}`)
    },
  }
}

const short = (detail: string): Shortfall => ({ detail, misfit: false })
