import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { RetryableError } from '../../src/component.ts'

interface OpenFile {
  readonly handle: FileHandle
  size: number
}

/** Files kept open at once; the one used longest ago is closed for another. */
const MAX_OPEN = 64
const TAIL_BYTES = 64 * 1024
const NEWLINE = 0x0a

/** Appends whole lines to files below a folder, each append durable when it resolves. */
export class Appender {
  readonly #directory: string
  readonly #files = new Map<string, OpenFile>()
  /** Appends run one after the other: a failed one is undone before the next. */
  #last: Promise<void> = Promise.resolve()

  constructor(directory: string) {
    this.#directory = directory
  }

  /** Appends `chunks` by path. Throws `RetryableError`, after taking back what was written of the file that failed. */
  append(chunks: ReadonlyMap<string, readonly Buffer[]>): Promise<void> {
    const result = this.#last.then(async () => {
      for (const [path, lines] of chunks) await this.#appendTo(path, lines)
    })
    this.#last = result.catch(() => {})
    return result
  }

  async close(): Promise<void> {
    await this.#last
    for (const { handle } of this.#files.values()) await handle.close()
    this.#files.clear()
  }

  async #appendTo(path: string, lines: readonly Buffer[]): Promise<void> {
    try {
      const file = await this.#open(path)
      const bytes = Buffer.concat(lines)
      try {
        for (let written = 0; written < bytes.length; ) {
          const result = await file.handle.write(bytes, written, bytes.length - written, file.size + written)
          written += result.bytesWritten
        }
        await file.handle.datasync()
        file.size += bytes.length
      } catch (error) {
        this.#files.delete(path)
        await file.handle.truncate(file.size).catch(() => {})
        await file.handle.close().catch(() => {})
        throw error
      }
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code ?? 'error'
      throw new RetryableError(`${join(this.#directory, path)} could not be written (${code})`, {
        cause,
        reason: 'disk',
      })
    }
  }

  async #open(path: string): Promise<OpenFile> {
    const known = this.#files.get(path)
    if (known !== undefined) {
      this.#files.delete(path)
      this.#files.set(path, known)
      return known
    }
    const full = join(this.#directory, path)
    await mkdir(dirname(full), { recursive: true })
    const handle = await open(full, 'r+').catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      return open(full, 'wx+')
    })
    const file = { handle, size: await wholeLines(handle) }
    this.#files.set(path, file)
    if (this.#files.size > MAX_OPEN) {
      const [oldest, { handle: unused }] = this.#files.entries().next().value as [string, OpenFile]
      this.#files.delete(oldest)
      await unused.close()
    }
    return file
  }
}

/** The size of a file up to its last newline: a crash may have left part of a line, which will be delivered again. */
async function wholeLines(handle: FileHandle): Promise<number> {
  const { size } = await handle.stat()
  for (let end = size; end > 0; end -= TAIL_BYTES) {
    const start = Math.max(0, end - TAIL_BYTES)
    const tail = Buffer.alloc(end - start)
    await handle.read(tail, 0, tail.length, start)
    const newline = tail.lastIndexOf(NEWLINE)
    if (newline === -1) continue
    if (start + newline + 1 < size) await handle.truncate(start + newline + 1)
    return start + newline + 1
  }
  if (size > 0) await handle.truncate(0)
  return 0
}
