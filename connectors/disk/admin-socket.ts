import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'

const NAME = 'admin.sock'
/** What fits into sockaddr_un, less the zero at its end; other systems have a little less than Linux' 108. */
const MAX_PATH_BYTES = 103

/**
 * Runs `use` with the path of the socket in a folder: one short enough for the system, which for a deep folder leads
 * through an open handle of it.
 */
export async function withSocketPath<T>(directory: string, use: (path: string) => Promise<T>): Promise<T> {
  const path = join(directory, NAME)
  if (Buffer.byteLength(path) <= MAX_PATH_BYTES) return use(path)
  const handle: FileHandle = await open(directory, 'r')
  try {
    return await use(`/proc/self/fd/${handle.fd}/${NAME}`)
  } finally {
    await handle.close()
  }
}

/** The answer to `letters`. */
export interface LettersAnswer {
  readonly letters: readonly { readonly key: string; readonly element: string }[]
  readonly end: number
}

/** The calls over the socket, POSTed as JSON to `/name`; Buffers travel as base64. */
export interface AdminCalls {
  readonly stats: object
  readonly peek: { readonly group: string; readonly limit: number }
  readonly purge: { readonly group: string }
  /** Without `end`, those that are there now; the answer says where they end. */
  readonly letters: { readonly from: number; readonly end: number | undefined }
  readonly replay: {
    readonly key: string
    readonly group: string
    readonly elements: readonly SentElement[]
  }
  readonly drop: { readonly key: string }
  readonly enqueue: { readonly group: string; readonly elements: readonly SentElement[] }
}

export interface SentElement {
  readonly bytes: string
  readonly records: number
}
