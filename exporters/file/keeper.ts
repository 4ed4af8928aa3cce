import { opendir, rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { errorCode } from '../../src/files.ts'
import { compressFile } from './compress.ts'
import type { Rotation } from './config.ts'
import { COMPRESSIONS, type FileName, type Layout } from './layout.ts'
import type { DeletionReason, FileCounters, RotationReason } from './metrics.ts'

const LONGEST_PAUSE_MS = 60_000
const SHORTEST_PAUSE_MS = 1_000
const DAY_MS = 86_400_000

interface Found extends FileName {
  readonly path: string
}
type Closed = Found & { readonly closedMs: number }

export interface KeeperOptions {
  readonly directory: string
  readonly layout: Layout
  readonly rotation: Rotation
  readonly fileMode: number
  readonly counters: FileCounters
  readonly log: Logger
  readonly rotate: (path: string, reason: RotationReason) => Promise<void>
  /** Called after each round, with what went wrong in it. */
  readonly trouble: (problem: string | undefined) => void
}

/**
 * Closes files that are old, compresses closed ones and deletes those past their time. What there is to do follows
 * from the folder alone, so a crash at any moment is made good by the next round, and no file is ever touched that is not ours.
 */
export class Keeper {
  readonly #options: KeeperOptions
  readonly #stopping = new AbortController()
  #round: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #running = false
  #again = false

  constructor(options: KeeperOptions) {
    this.#options = options
  }

  /** Looks now, again whenever it is woken, and from time to time. */
  start(): void {
    const { interval, close_after } = this.#options.rotation
    const soonest = Math.min(close_after, interval || Number.POSITIVE_INFINITY) / 2
    const pause = Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, soonest))
    this.#timer = setInterval(() => this.wake(), pause).unref()
    this.wake()
  }

  /** There is something to do. */
  wake(): void {
    this.#again = true
    if (this.#running || this.#stopping.signal.aborted) return
    this.#running = true
    this.#round = this.#run()
  }

  /** Breaks off what is being compressed; the next start begins it anew. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#stopping.abort()
    await this.#round
  }

  async #run(): Promise<void> {
    try {
      const { signal } = this.#stopping
      while (this.#again && !signal.aborted) {
        this.#again = false
        this.#options.trouble(await this.#tidy())
        // A round looks at every name: files that close one after the other share one.
        if (this.#again) await sleep(SHORTEST_PAUSE_MS, undefined, { signal, ref: false }).catch(() => {})
      }
    } finally {
      this.#running = false
    }
  }

  /** One round; gives what went wrong in it. */
  async #tidy(): Promise<string | undefined> {
    let problem: string | undefined
    const attempt = async (
      operation: Parameters<FileCounters['failed']>[0],
      path: string,
      work: () => Promise<void>,
    ): Promise<void> => {
      if (this.#stopping.signal.aborted) return
      try {
        await work()
      } catch (error) {
        if (this.#stopping.signal.aborted) return
        const { counters, log } = this.#options
        counters.failed(operation, errorCode(error))
        problem = `${path} could not be dealt with (${operation}: ${errorCode(error)})`
        log.warn({ path, operation, err: error }, 'a file could not be dealt with; trying again later')
      }
    }
    const files: Found[] = []
    await attempt('look', this.#options.directory, () => this.#look('', 0, files))
    const names = new Set(files.map(({ path }) => path))
    for (const { path } of files.filter(({ unfinished }) => unfinished)) {
      await attempt('delete', path, () => this.#remove(path))
    }
    const closed: Closed[] = []
    for (const file of files.filter(({ unfinished }) => !unfinished)) {
      const { path, closedMs } = file
      if (closedMs === undefined) await attempt('rotate', path, () => this.#closeIfOld(path))
      else if (this.#isCompressed(file, names)) await attempt('delete', path, () => this.#remove(path))
      else closed.push({ ...file, closedMs })
    }
    const kept: Closed[] = []
    for (const [file, reason] of this.#judge(closed)) {
      if (reason === undefined) kept.push(file)
      else await attempt('delete', file.path, () => this.#expire(file.path, reason))
    }
    for (const file of kept.sort((a, b) => a.closedMs - b.closedMs)) {
      await attempt('compress', file.path, () => this.#compress(file))
    }
    return problem
  }

  async #look(folder: string, depth: number, files: Found[]): Promise<void> {
    const { directory, layout } = this.#options
    for await (const entry of await opendir(join(directory, folder))) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory() && depth < layout.depth) await this.#look(path, depth + 1, files)
      const name = entry.isFile() ? layout.parse(path) : undefined
      if (name !== undefined) files.push({ ...name, path })
    }
  }

  /** A crash came between the compressed file, which is complete, and the removal of the one it was made from. */
  #isCompressed({ path, compression }: Found, names: ReadonlySet<string>): boolean {
    return compression === undefined && Object.values(COMPRESSIONS).some((suffix) => names.has(path + suffix))
  }

  async #closeIfOld(path: string): Promise<void> {
    const { directory, layout, rotation, rotate } = this.#options
    const { birthtimeMs, mtimeMs } = await stat(join(directory, path))
    const now = Date.now()
    const isIdle = now - mtimeMs >= rotation.close_after
    if (isIdle && now >= (layout.periodEnd(path) ?? Number.POSITIVE_INFINITY)) await rotate(path, 'period')
    else if (rotation.interval > 0 && now - (birthtimeMs || mtimeMs) >= rotation.interval)
      await rotate(path, 'interval')
  }

  /** Which of the closed files are to go, and why. */
  *#judge(closed: readonly Closed[]): Iterable<[Closed, DeletionReason | undefined]> {
    const { max_days, max_backups } = this.#options.rotation
    const oldest = max_days === 0 ? Number.NEGATIVE_INFINITY : Date.now() - max_days * DAY_MS
    for (const files of Map.groupBy(closed, ({ active }) => active).values()) {
      files.sort((a, b) => b.closedMs - a.closedMs)
      for (const [index, file] of files.entries()) {
        if (file.closedMs < oldest) yield [file, 'max_days']
        else if (max_backups > 0 && index >= max_backups) yield [file, 'max_backups']
        else yield [file, undefined]
      }
    }
  }

  async #compress({ path, compression }: Closed): Promise<void> {
    const { directory, rotation, fileMode, counters } = this.#options
    if (compression !== undefined || rotation.compression === 'none') return
    const full = join(directory, path)
    await compressFile(full, rotation.compression, fileMode, this.#stopping.signal)
    counters.compressed.inc()
  }

  async #expire(path: string, reason: DeletionReason): Promise<void> {
    await this.#remove(path)
    this.#options.counters.deleted(reason)
    // Folders of days gone by go as well, as far as they are empty.
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
      const isEmpty = await rmdir(join(this.#options.directory, folder)).then(
        () => true,
        () => false,
      )
      if (!isEmpty) return
    }
  }

  async #remove(path: string): Promise<void> {
    await rm(join(this.#options.directory, path), { force: true })
  }
}
