/** The names of a stream's keys in Redis. */
export interface Keys {
  /** List of elements that wait for the group. */
  queue(group: string): string
  /** List of elements a worker holds; without a worker, what all such names begin with. */
  inflight(group: string, worker?: string): string
  /** Sorted set of the group's workers by their last beat. */
  workers(group: string): string
  /** Hash of worker to how many elements have left the head of its in-flight list. */
  settled(group: string): string
  /** Hash of what the group's queue and in-flight lists hold. */
  stats(group: string): string
  /** List of dead letters. */
  readonly dead: string
  readonly deadStats: string
  /** What batch ids are made with; shared by all gateways of the stream. */
  readonly identity: string
}

/** The braces are a hash tag: all keys of a stream lie in one slot, so that a script may touch several of them. */
export function keysOf(prefix: string, stream: string): Keys {
  const base = `${prefix}:{${stream}}`
  return {
    queue: (group) => `${base}:queue:${group}`,
    inflight: (group, worker) => `${base}:inflight:${group}${worker === undefined ? '' : `:${worker}`}`,
    workers: (group) => `${base}:workers:${group}`,
    settled: (group) => `${base}:settled:${group}`,
    stats: (group) => `${base}:stats:${group}`,
    dead: `${base}:dead`,
    deadStats: `${base}:dead:stats`,
    identity: `${base}:key`,
  }
}
