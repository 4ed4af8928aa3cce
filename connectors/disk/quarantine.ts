import { open, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Logger } from 'pino'
import { errorCode, readUpTo } from '../../src/files.ts'
import type { DiskConfig } from './config.ts'

/** What a segment lost, by offset. */
export interface Range {
  readonly start: number
  readonly end: number
}

export interface QuarantineOptions {
  readonly log: Logger
  /** Told the bytes of every damage, once as long as there is a copy of it. */
  readonly lost: (bytes: number) => void
  readonly limits: Pick<DiskConfig, 'max_corrupt_bytes' | 'max_dead_letter_age'>
}

const SUFFIX = '.corrupt'

/**
 * Sets aside what cannot be read, as `<segment>.<offset>.corrupt` next to the segment: once, for whoever wants to
 * look into it. Nothing of ours reads these files; the oldest are deleted where they are too many or too old.
 */
export class Quarantine {
  readonly #options: QuarantineOptions
  readonly #known = new Set<string>()

  constructor(options: QuarantineOptions) {
    this.#options = options
  }

  /** Keeps a copy. Where that is impossible it only says so: reading goes on in any case. */
  async keep(path: string, { start, end }: Range): Promise<void> {
    const { log, lost, limits } = this.#options
    const copy = `${path}.${start}${SUFFIX}`
    if (this.#known.has(copy)) return
    this.#known.add(copy)
    const fields = { segment: basename(path), offset: start, bytes: end - start }
    const kept = end - start <= limits.max_corrupt_bytes
    try {
      if (kept) await copyRange(path, { start, end }, copy)
      await this.tidy(dirname(path))
    } catch (error) {
      if (errorCode(error) === 'EEXIST') return
      log.warn({ err: error, ...fields }, 'no copy of the damaged part of the buffer could be kept')
    }
    lost(end - start)
    log.error(
      kept ? { ...fields, copy: basename(copy) } : fields,
      'part of the buffer is damaged and was passed over; what follows it is read',
    )
  }

  /** Counts the beginning of a record that a crash has cut short; it was never acknowledged. */
  torn(path: string, { start, end }: Range): void {
    this.#options.lost(end - start)
    this.#options.log.warn(
      { segment: basename(path), offset: start, bytes: end - start },
      'the last write was cut short and was taken back; its sender has no acknowledgement of it',
    )
  }

  /** Deletes the oldest copies in a folder, as far as they are more or older than is allowed. */
  async tidy(directory: string): Promise<void> {
    const { max_corrupt_bytes, max_dead_letter_age } = this.#options.limits
    const names = (await readdir(directory)).filter((name) => name.endsWith(SUFFIX))
    const copies = await Promise.all(
      names.map(async (name) => {
        const path = join(directory, name)
        const { size, mtimeMs } = await stat(path)
        return { path, size, mtimeMs }
      }),
    )
    copies.sort((a, b) => a.mtimeMs - b.mtimeMs)
    let bytes = copies.reduce((sum, { size }) => sum + size, 0)
    for (const { path, size, mtimeMs } of copies) {
      const isOld = max_dead_letter_age > 0 && Date.now() - mtimeMs > max_dead_letter_age
      if (bytes <= max_corrupt_bytes && !isOld) return
      await rm(path)
      bytes -= size
      this.#options.log.warn({ copy: basename(path), bytes: size }, 'a copy of damaged bytes made room')
    }
  }
}

async function copyRange(path: string, { start, end }: Range, copy: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await writeFile(copy, await readUpTo(handle, start, end - start), { flag: 'wx', mode: 0o600 })
  } finally {
    await handle.close()
  }
}
