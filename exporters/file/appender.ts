import { access, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Logger } from 'pino'
import { RetryableError } from '../../src/component.ts'
import { errorCode, syncDirectory } from '../../src/files.ts'
import { ActiveFile } from './active-file.ts'
import type { FileConfig } from './config.ts'
import { COMPRESSIONS, type Layout } from './layout.ts'
import type { FileCounters, RotationReason } from './metrics.ts'
import type { Room } from './room.ts'

/** Files kept open at once; the one used longest ago is closed for another. */
const MAX_OPEN = 64
/** Of these, files that may wait for their sync. */
const MAX_UNSYNCED = MAX_OPEN / 2
const RETRY_AFTER_MS = 1_000

type Lines = ReadonlyMap<string, readonly Buffer[]>
/** Why lines could not be appended, by path. */
export type Failures = ReadonlyMap<string, RetryableError>

interface Waiting {
  readonly lines: Lines
  readonly signal: AbortSignal
  readonly resolve: (failures: Failures) => void
  readonly reject: (reason: unknown) => void
}

export interface AppenderOptions {
  readonly config: FileConfig
  readonly layout: Layout
  readonly room: Room
  readonly counters: FileCounters
  readonly log: Logger
  /** A file was closed. */
  readonly closed: () => void
}

/** Appends whole lines to files below a folder, and closes files. What waits meanwhile is appended together and synced once. */
export class Appender {
  readonly #options: AppenderOptions
  readonly #maxBytes: number
  readonly #files = new Map<string, ActiveFile>()
  #waiting: Waiting[] = []
  /** Work on the files is done one piece after the other. */
  #last: Promise<void> = Promise.resolve()
  #lastClosedMs = 0

  constructor(options: AppenderOptions) {
    this.#options = options
    const { rotation } = options.config
    this.#maxBytes = rotation === undefined ? Number.POSITIVE_INFINITY : rotation.max_megabytes * 2 ** 20
  }

  get openFiles(): number {
    return this.#files.size
  }

  /** Resolves once the lines are appended, and with `fsync: always` durable, all but those of the paths that failed. */
  append(lines: Lines, signal: AbortSignal): Promise<Failures> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ lines, signal, resolve, reject })
      if (this.#waiting.length === 1) void this.#next(() => this.#commit())
    })
  }

  /** Closes the file for good: lines to come go to a new one. Without lines it is deleted. */
  rotate(path: string, reason: RotationReason): Promise<void> {
    return this.#next(() => this.#rotate(path, reason))
  }

  /** Makes durable what is not yet. */
  sync(): Promise<void> {
    return this.#next(async () => {
      for (const [path, file] of this.#files) {
        await file.sync().catch((error: unknown) => this.#syncFailed(path, error))
      }
    })
  }

  close(): Promise<void> {
    return this.#next(async () => {
      for (const path of this.#files.keys()) await this.#evict(path)
    })
  }

  #next(work: () => Promise<void>): Promise<void> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => {})
    return result
  }

  async #commit(): Promise<void> {
    const group = this.#waiting.filter(({ signal, reject }) => {
      if (signal.aborted) reject(signal.reason)
      return !signal.aborted
    })
    this.#waiting = []
    try {
      const failures = await this.#appendAll(merged(group))
      for (const { resolve } of group) resolve(failures)
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }

  async #appendAll(lines: Lines): Promise<Failures> {
    const failures = new Map<string, RetryableError>()
    let unsynced: { readonly path: string; readonly file: ActiveFile; readonly before: number }[] = []
    const syncAll = async (): Promise<void> => {
      await Promise.all(
        unsynced.map(async ({ path, file, before }) => {
          await file.sync().catch(async (error: unknown) => {
            failures.set(path, this.#failure(path, 'sync', error))
            await this.#undo(path, file, before)
          })
        }),
      )
      unsynced = []
    }
    for (const [path, buffers] of lines) {
      try {
        const written = await this.#write(path, buffers)
        if (this.#options.config.fsync !== 'always') continue
        if (unsynced.push({ path, ...written }) === MAX_UNSYNCED) await syncAll()
      } catch (error) {
        failures.set(path, this.#failure(path, 'write', error))
      }
    }
    await syncAll()
    return failures
  }

  async #write(path: string, buffers: readonly Buffer[]): Promise<{ file: ActiveFile; before: number }> {
    const bytes = buffers.reduce((size, buffer) => size + buffer.length, 0)
    await this.#options.room.take(bytes)
    let file = await this.#open(path)
    if (file.size > 0 && file.size + bytes > this.#maxBytes) {
      await this.#rotate(path, 'size')
      file = await this.#open(path)
    }
    const before = file.size
    try {
      await file.append(buffers, bytes)
    } catch (error) {
      await this.#undo(path, file, before)
      throw error
    }
    this.#options.counters.written.inc(bytes)
    return { file, before }
  }

  async #open(path: string): Promise<ActiveFile> {
    const {
      directory,
      directory_permissions: directoryMode,
      file_permissions: fileMode,
    } = this.#options.config
    const known = this.#files.get(path)
    this.#files.delete(path)
    const file = known ?? (await ActiveFile.open(path, { directory, directoryMode, fileMode }))
    this.#files.set(path, file)
    if (this.#files.size > MAX_OPEN) await this.#evict(this.#files.keys().next().value as string)
    return file
  }

  async #evict(path: string): Promise<void> {
    const file = this.#files.get(path) as ActiveFile
    this.#files.delete(path)
    try {
      if (this.#options.config.fsync !== 'never') await file.sync()
    } catch (error) {
      this.#syncFailed(path, error)
    } finally {
      await file.close()
    }
  }

  async #rotate(path: string, reason: RotationReason): Promise<void> {
    const { config, layout, counters, closed } = this.#options
    const file = await this.#open(path)
    this.#files.delete(path)
    const full = join(config.directory, path)
    try {
      await file.sync()
    } finally {
      await file.close()
    }
    if (file.size === 0) {
      await rm(full)
      return
    }
    await rename(full, join(config.directory, await this.#freeName(path, layout)))
    await syncDirectory(dirname(full))
    counters.rotated(reason)
    closed()
  }

  /** A name of its own for a file that is closed now, whatever the clock does. */
  async #freeName(path: string, layout: Layout): Promise<string> {
    const { directory } = this.#options.config
    for (let ms = Math.max(Date.now(), this.#lastClosedMs + 1); ; ms++) {
      this.#lastClosedMs = ms
      const name = layout.closedPath(path, ms)
      const taken = await Promise.all(
        ['', ...Object.values(COMPRESSIONS)].map((suffix) => exists(join(directory, name + suffix))),
      )
      if (!taken.includes(true)) return name
    }
  }

  async #undo(path: string, file: ActiveFile, size: number): Promise<void> {
    this.#files.delete(path)
    try {
      await file.undo(size)
    } catch (error) {
      const { log, counters } = this.#options
      counters.failed('undo', errorCode(error))
      log.warn({ path, err: error }, 'lines may be in the file twice: what was half written is still there')
    }
  }

  /** For lines that were acknowledged before their sync. */
  #syncFailed(path: string, error: unknown): void {
    this.#options.counters.failed('sync', errorCode(error))
    this.#options.log.error({ path, err: error }, 'what was written lately may not survive a power cut')
  }

  #failure(path: string, operation: 'write' | 'sync', cause: unknown): RetryableError {
    const code = cause instanceof RetryableError ? cause.reason : errorCode(cause)
    this.#options.counters.failed(operation, code)
    if (cause instanceof RetryableError) return cause
    const full = join(this.#options.config.directory, path)
    const isFull = code === 'ENOSPC' || code === 'EDQUOT'
    return new RetryableError(
      isFull ? `the disk of ${full} is full (${code})` : `${full} could not be written (${code})`,
      { cause, reason: isFull ? 'disk_full' : 'disk', retryAfter: RETRY_AFTER_MS },
    )
  }
}

/** The lines of all, by path. */
function merged(group: readonly Waiting[]): Lines {
  const byPath = new Map<string, Buffer[]>()
  for (const { lines } of group) {
    for (const [path, buffers] of lines) {
      const known = byPath.get(path)
      if (known === undefined) byPath.set(path, [...buffers])
      else for (const buffer of buffers) known.push(buffer)
    }
  }
  return byPath
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
