import type { Logger } from 'pino'
import { readSettingFile } from './config/tls.ts'
import type { ComponentMetrics } from './telemetry/metrics.ts'

export interface WatchedFilesOptions {
  /** Paths by the setting that names them: `tls.cert_file`. */
  readonly files: Readonly<Record<string, string>>
  /** Milliseconds between two looks; 0 never looks again. */
  readonly interval: number
  /** Takes what the files hold, by setting. Throws what is wrong with it; then what was taken before stays. */
  readonly take: (texts: Readonly<Record<string, string>>) => void
  /** Told what is wrong with the files as they are now; undefined when nothing is any more. */
  readonly trouble: (problem: string | undefined) => void
  readonly log: Logger
  readonly metrics: ComponentMetrics
}

/**
 * Files that are taken anew when they change, all together: a certificate and its key fit each other. What cannot be
 * read or taken leaves what was there before.
 */
export class WatchedFiles {
  readonly #options: WatchedFilesOptions
  /** What was last read, whether it could be taken or not. */
  #texts = ''
  #problem: string | undefined
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined

  constructor(options: WatchedFilesOptions) {
    this.#options = options
  }

  /** Reads the files for the first time. Rejects when they cannot be read or taken. */
  async start(): Promise<void> {
    const { files, interval, take, metrics } = this.#options
    const texts = await this.#read()
    this.#texts = JSON.stringify(texts)
    take(texts)
    if (interval === 0 || Object.keys(files).length === 0) return
    for (const outcome of ['success', 'failure']) count(metrics, outcome, 0)
    this.#timer = setInterval(() => {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined
      })
    }, interval)
    this.#timer.unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
  }

  async #look(): Promise<void> {
    const { files, take, log, metrics } = this.#options
    try {
      const texts = await this.#read().catch((error: unknown) => {
        // The files may come back as they were.
        this.#texts = ''
        throw error
      })
      const read = JSON.stringify(texts)
      // What is wrong is said once, and tried again when it has changed.
      if (read === this.#texts) return
      this.#texts = read
      take(texts)
      this.#tell(undefined)
      count(metrics, 'success', 1)
      log.info({ files: Object.values(files) }, 'changed files were read again')
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      if (problem === this.#problem) return
      this.#tell(problem)
      count(metrics, 'failure', 1)
      log.error({ problem }, 'changed files cannot be used; what was read before stays in use')
    }
  }

  #tell(problem: string | undefined): void {
    if (problem === this.#problem) return
    this.#problem = problem
    this.#options.trouble(problem)
  }

  async #read(): Promise<Record<string, string>> {
    const read = Object.entries(this.#options.files).map(
      async ([setting, path]) => [setting, await readSettingFile(setting, path)] as const,
    )
    return Object.fromEntries(await Promise.all(read))
  }
}

function count(metrics: ComponentMetrics, outcome: string, n: number): void {
  metrics
    .counter('sluice_file_reloads_total', 'Changed certificates, tokens and the like that were read again.', {
      outcome,
    })
    .inc(n)
}
