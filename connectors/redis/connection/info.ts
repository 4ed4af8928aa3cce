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
  readonly usedMemory: number
  /** 0: as much as the machine has. */
  readonly maxMemory: number
  readonly policy: string
  readonly appendOnly: boolean
}

export function serverInfo(info: ReadonlyMap<string, string>): ServerInfo {
  return {
    version: info.get('redis_version') ?? '',
    usedMemory: Number(info.get('used_memory') ?? 0),
    maxMemory: Number(info.get('maxmemory') ?? 0),
    policy: info.get('maxmemory_policy') ?? '',
    appendOnly: info.get('aof_enabled') === '1',
  }
}
