/** Reads the answer to INFO. */
export function parseInfo(reply: unknown): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  for (const line of String(reply).split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1))
  }
  return fields
}

/** What a server says of itself, as far as the buffer depends on it. */
export interface ServerInfo {
  readonly version: string
  /** Another one after every restart. */
  readonly runId: string
  readonly role: string
  readonly usedMemory: number
  /** 0: as much as the machine has. */
  readonly maxMemory: number
  readonly policy: string
  readonly appendOnly: boolean
  readonly loading: boolean
  /** What it last tried to write to its disk in vain. */
  readonly failedWrites: readonly ('aof' | 'snapshot' | 'rewrite')[]
  /** Replicas that follow it. */
  readonly replicas: number
  /** Replicas that keep up; undefined where it does not ask for any. */
  readonly goodReplicas: number | undefined
}

export function serverInfo(info: ReadonlyMap<string, string>): ServerInfo {
  const failed = (name: string): boolean => info.get(name) === 'err'
  const good = info.get('min_slaves_good_slaves')
  return {
    version: info.get('redis_version') ?? '',
    runId: info.get('run_id') ?? '',
    role: info.get('role') ?? '',
    usedMemory: Number(info.get('used_memory') ?? 0),
    maxMemory: Number(info.get('maxmemory') ?? 0),
    policy: info.get('maxmemory_policy') ?? '',
    appendOnly: info.get('aof_enabled') === '1',
    loading: info.get('loading') === '1',
    failedWrites: [
      ...(failed('aof_last_write_status') ? (['aof'] as const) : []),
      ...(failed('rdb_last_bgsave_status') ? (['snapshot'] as const) : []),
      ...(failed('aof_last_bgrewrite_status') ? (['rewrite'] as const) : []),
    ],
    replicas: [...info].filter(([name, value]) => /^slave\d+$/.test(name) && /state=online/.test(value))
      .length,
    goodReplicas: good === undefined ? undefined : Number(good),
  }
}

/** `Redis 7.2.4` or `Valkey 8.0.1`, which calls itself Redis as well; empty where it is unknown. */
export function versionOf(info: ReadonlyMap<string, string>): string {
  const valkey = info.get('valkey_version')
  if (valkey !== undefined) return `Valkey ${valkey}`
  const redis = info.get('redis_version')
  return redis === undefined ? '' : `Redis ${redis}`
}
