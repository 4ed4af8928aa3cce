import { join } from 'node:path'
import { sharedHealth } from '../../src/buffer/shared-health.ts'
import { type Exporter, PermanentError, RetryableError } from '../../src/component.ts'
import type { ComponentContext } from '../../src/define.ts'
import { makeDirectory } from '../../src/files.ts'
import { FolderLock } from '../../src/folder-lock.ts'
import type { LogBatch } from '../../src/logs/batch.ts'
import { Appender, type Failures } from './appender.ts'
import type { FileConfig } from './config.ts'
import { Keeper } from './keeper.ts'
import { Layout } from './layout.ts'
import { renderLines } from './lines.ts'
import { fileCounters } from './metrics.ts'
import { PathTemplate } from './path-template.ts'
import { Room } from './room.ts'

/** Hidden, as the name of a file made from a record never is. */
const LOCK = '.lock'

/** Files below a folder, which belongs to one exporter while it runs. */
export class FileExporter implements Exporter {
  readonly #config: FileConfig
  readonly #context: ComponentContext
  readonly #template: PathTemplate
  readonly #appender: Appender
  readonly #keeper: Keeper | undefined
  #lock: FolderLock | undefined
  #timer: NodeJS.Timeout | undefined
  /** What is wrong with files, by path. */
  readonly #failing = new Map<string, RetryableError>()

  constructor(config: FileConfig, context: ComponentContext) {
    const { own, trouble } = sharedHealth(context.health)
    this.#config = config
    this.#context = { ...context, health: own }
    this.#template = new PathTemplate(config.path)
    const layout = new Layout(this.#template)
    const counters = fileCounters(context.metrics)
    const { log } = context
    this.#appender = new Appender({
      config,
      layout,
      room: new Room(config.directory, config.min_free),
      counters,
      log,
      closed: () => this.#keeper?.wake(),
    })
    if (config.rotation !== undefined) {
      this.#keeper = new Keeper({
        directory: config.directory,
        layout,
        rotation: config.rotation,
        fileMode: config.file_permissions,
        counters,
        log,
        rotate: (path, reason) => this.#appender.rotate(path, reason),
        trouble,
      })
    }
    context.metrics.gauge(
      'sluice_file_open_files',
      'Files that are open for lines to come, 64 at the most.',
      {},
      () => this.#appender.openFiles,
    )
  }

  async start(): Promise<void> {
    const { directory, directory_permissions, fsync, fsync_interval } = this.#config
    this.#context.health('starting')
    await makeDirectory(directory, directory_permissions)
    this.#lock = await FolderLock.take({
      path: join(directory, LOCK),
      directory,
      advice: 'the folder of a file exporter belongs to one, give each a directory of its own',
    })
    if (fsync === 'interval') {
      this.#timer = setInterval(() => void this.#appender.sync(), fsync_interval).unref()
    }
    this.#keeper?.start()
    this.#context.health('ok')
  }

  async export(batch: LogBatch, signal: AbortSignal): Promise<void> {
    const { lines, records, rejected } = renderLines(batch, this.#template, this.#config.format)
    const failures = await this.#appender.append(lines, signal)
    this.#tell([...records.keys()], failures)
    const remaining = [...records].flatMap(([path, indices]) => (failures.has(path) ? indices : []))
    // What waited at the same time failed for its own sake.
    const failure = [...records.keys()].map((path) => failures.get(path)).find((found) => found !== undefined)
    if (failure !== undefined && remaining.length > 0) {
      const { message, cause, reason, retryAfter } = failure
      const more = retryAfter === undefined ? {} : { retryAfter }
      throw new RetryableError(message, { cause, reason, remaining, rejected, ...more })
    }
    if (rejected.length > 0) throw new PermanentError(rejected[0].reason, { rejected })
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#keeper?.stop()
    await this.#appender.close()
    await this.#lock?.release()
    this.#lock = undefined
  }

  /** Says what is wrong to operators, each time it changes. */
  #tell(paths: readonly string[], failures: Failures): void {
    const before = this.#failing.size
    for (const path of paths) {
      const failure = failures.get(path)
      if (failure === undefined) this.#failing.delete(path)
      else this.#failing.set(path, failure)
    }
    const [first] = this.#failing.values()
    if (first !== undefined) {
      const others = this.#failing.size === 1 ? '' : `, and ${this.#failing.size - 1} more files`
      this.#context.health('degraded', first.message + others)
    } else if (before > 0) {
      this.#context.health('ok')
      this.#context.log.info('files can be written again')
    }
  }
}
