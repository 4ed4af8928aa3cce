import type { Lease } from '../component.ts'

export interface GatherSettings {
  /** Milliseconds to wait for more once there is something. */
  readonly flush_timeout: number
  /** Bytes with which it waits for no more; `max_size` when absent. */
  readonly min_size?: number | undefined
  /** Bytes after which no more is gathered. */
  readonly max_size: number
}

/** Groups leases into runs worth one request: as many as come within a short wait, up to a size. */
export async function* gather(
  leases: AsyncIterable<Lease>,
  { flush_timeout, max_size, min_size = max_size }: GatherSettings,
): AsyncGenerator<[Lease, ...Lease[]], void, undefined> {
  const iterator = leases[Symbol.asyncIterator]()
  let next = iterator.next()
  try {
    for (;;) {
      const first = await next
      if (first.done === true) return
      const group: [Lease, ...Lease[]] = [first.value]
      let size = first.value.batch.byteLength
      next = iterator.next()
      let late = (): void => {}
      const timeout = new Promise<undefined>((resolve) => {
        late = () => resolve(undefined)
      })
      const timer = setTimeout(late, flush_timeout)
      while (size < min_size) {
        const more = await Promise.race([next, timeout])
        if (more === undefined || more.done === true) break
        group.push(more.value)
        size += more.value.batch.byteLength
        next = iterator.next()
      }
      clearTimeout(timer)
      yield group
    }
  } finally {
    // Whoever stops listening leaves the one that was fetched ahead, which goes back at once.
    next.then((ahead) => (ahead.done === true ? undefined : ahead.value.release(0))).catch(() => {})
    await iterator.return?.()
  }
}
