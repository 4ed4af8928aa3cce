import { open, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Logger } from 'pino'
import { errorCode, readUpTo } from './files.ts'

/** What a segment lost, by offset. */
export interface Range {
  readonly start: number
  readonly end: number
}

/**
 * Sets aside what cannot be read, as `<segment>.<offset>.corrupt` next to the segment: once, for whoever wants to
 * look into it. Nothing of ours reads or deletes these files.
 */
export class Quarantine {
  readonly #log: Logger
  readonly #lost: (bytes: number) => void
  readonly #known = new Set<string>()

  /** `lost` is told the bytes of every damage, once in the life of the folder. */
  constructor(log: Logger, lost: (bytes: number) => void) {
    this.#log = log
    this.#lost = lost
  }

  /** Keeps a copy. Where that is impossible it only says so: reading goes on in any case. */
  async keep(path: string, { start, end }: Range): Promise<void> {
    const copy = `${path}.${start}.corrupt`
    if (this.#known.has(copy)) return
    this.#known.add(copy)
    const fields = { segment: basename(path), offset: start, bytes: end - start }
    try {
      const handle = await open(path, 'r')
      try {
        await writeFile(copy, await readUpTo(handle, start, end - start), { flag: 'wx', mode: 0o600 })
      } finally {
        await handle.close()
      }
    } catch (error) {
      if (errorCode(error) === 'EEXIST') return
      this.#log.warn({ err: error, ...fields }, 'no copy of the damaged part of the buffer could be kept')
    }
    this.#lost(end - start)
    this.#log.error(
      { ...fields, copy: basename(copy) },
      'part of the buffer is damaged and was set aside; what follows it is read',
    )
  }

  /** Counts the beginning of a record that a crash has cut short; it was never acknowledged. */
  torn(path: string, { start, end }: Range): void {
    this.#lost(end - start)
    this.#log.warn(
      { segment: basename(path), offset: start, bytes: end - start },
      'the last write was cut short and was taken back; its sender has no acknowledgement of it',
    )
  }
}
