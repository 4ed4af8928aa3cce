/** The names of a stream's keys in Redis. */
export interface Keys {
  /** What the stream is called. */
  readonly stream: string
  /** List of elements that wait for the group. */
  queue(group: string): string
  /** List of elements a worker holds; without a worker, what all such names begin with. */
  inflight(group: string, worker?: string): string
  /** Sorted set of the group's workers by their last beat. */
  workers(group: string): string
  /** Hash of worker to how many elements have left the head of its in-flight list, and how many holes are in it. */
  settled(group: string): string
  /** Hash of what the group's queue and in-flight lists hold. */
  stats(group: string): string
  /** Hash of all queues there have been, to the names of their groups. */
  readonly queues: string
  /** List of dead letters. */
  readonly dead: string
  readonly deadStats: string
}

/**
 * The braces are a hash tag: all keys of a stream lie in one slot, so that a script may touch several of them.
 * `list`: the stream is called as the list is that other tools know. One group's queue is just that list; several
 * groups have queues named after it.
 */
export function keysOf(prefix: string, stream: string, list: boolean, groups: number): Keys {
  const base = `${prefix}:{${stream}}`
  const queue = (group: string): string => {
    if (!list) return `${base}:queue:${group}`
    return groups === 1 ? stream : `{${stream}}:${group}`
  }
  return {
    stream,
    queue,
    inflight: (group, worker) => `${base}:inflight:${group}${worker === undefined ? '' : `:${worker}`}`,
    workers: (group) => `${base}:workers:${group}`,
    settled: (group) => `${base}:settled:${group}`,
    stats: (group) => `${base}:stats:${group}`,
    queues: `${base}:queues`,
    dead: `${base}:dead`,
    deadStats: `${base}:dead:stats`,
  }
}
