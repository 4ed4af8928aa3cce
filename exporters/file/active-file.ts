import { type FileHandle, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { errorCode, makeDirectory, syncDirectory, writeAll } from '../../src/files.ts'

export interface FilePlace {
  readonly directory: string
  readonly directoryMode: number
  readonly fileMode: number
}

const TAIL_BYTES = 64 * 1024
const NEWLINE = 0x0a

/** A file that lines are appended to. */
export class ActiveFile {
  readonly #handle: FileHandle
  /** When it was made, epoch milliseconds. */
  readonly bornMs: number
  /** Bytes of whole lines. */
  size: number
  /** Something was written since the last sync. */
  dirty = false

  private constructor(handle: FileHandle, size: number, bornMs: number) {
    this.#handle = handle
    this.size = size
    this.bornMs = bornMs
  }

  /** Opens the file, or makes it and the folders it is in, durably. What a crash left of a line is cut off. */
  static async open(path: string, { directory, directoryMode, fileMode }: FilePlace): Promise<ActiveFile> {
    const full = join(directory, path)
    const handle = await open(full, 'r+').catch(async (error: unknown) => {
      if (errorCode(error) !== 'ENOENT') throw error
      await makeDirectory(dirname(full), directoryMode)
      return open(full, 'wx+', fileMode)
    })
    try {
      const size = await wholeLines(handle)
      // A name that is new, or was when a crash came, may not be durable yet.
      if (size === 0) await syncDirectory(dirname(full))
      const { birthtimeMs, mtimeMs } = await handle.stat()
      // Where the system knows no birth, it says 1970 or the last change.
      return new ActiveFile(handle, size, birthtimeMs > 0 ? Math.min(birthtimeMs, mtimeMs) : mtimeMs)
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /** Appends lines. Where that goes wrong, nothing of them is left in the file, as far as it can still be cut. */
  async append(lines: readonly Buffer[], bytes: number): Promise<void> {
    await writeAll(this.#handle, lines, this.size)
    this.size += bytes
    this.dirty = true
  }

  async sync(): Promise<void> {
    if (!this.dirty) return
    this.dirty = false
    await this.#handle.datasync()
  }

  /** Takes back what was written beyond `size`, and closes the file: after an error its state is not known. */
  async undo(size: number): Promise<void> {
    try {
      await this.#handle.truncate(size)
    } finally {
      await this.#handle.close()
    }
  }

  async close(): Promise<void> {
    await this.#handle.close()
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
