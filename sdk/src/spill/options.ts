/** Records on disk while the collector is away, or until it has answered. */
export interface SpillOptions {
  /**
   * Made where it is missing. Processes that send to the same collector may share it: each has a folder of its own in
   * it, and sends what those have left that are gone.
   */
  readonly directory: string
  /** Bytes of this process's files at most. A full spill takes nothing more: what is in it is older, and comes first. */
  readonly maxBytes: number
  /**
   * A record that was not acknowledged for so long is on disk: what `kill -9` can cost. 0 writes each batch before it
   * is sent; then it costs what waits for a batch to fill. `Infinity` writes only what does not fit the memory, and
   * what is left when the process ends in order.
   */
  readonly windowMillis: number
  /** Whether each write is synced, so that it outlives the machine's power too, not only the process. */
  readonly sync: boolean
}
