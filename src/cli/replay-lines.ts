import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pipeline, Readable, type Transform } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'

/** A line of a file, without its newline. */
export interface FileLine {
  /** From 1 on. */
  readonly number: number
  /** Undefined for a line that is too long to be one. */
  readonly bytes: Buffer | undefined
}

/** Stands for standard input. */
export const STDIN = '-'
export const LONGEST_LINE = 64 * 1024 * 1024

const NEWLINE = 0x0a
const MAGIC: readonly { readonly bytes: Buffer; readonly unpack: () => Transform }[] = [
  { bytes: Buffer.from('1f8b', 'hex'), unpack: () => createGunzip() },
  { bytes: Buffer.from('28b52ffd', 'hex'), unpack: () => createZstdDecompress() },
]

/** Reads the lines of a file or of standard input, compressed with gzip or zstd or not; the last may lack its newline. */
export async function* readLines(file: string): AsyncGenerator<FileLine> {
  const source = file === STDIN ? process.stdin : await openFile(file)
  if (source === undefined) return
  let number = 1
  let parts: Buffer[] = []
  let size = 0
  const take = (): FileLine => {
    const bytes = size > LONGEST_LINE ? undefined : parts.length === 1 ? parts[0] : Buffer.concat(parts)
    parts = []
    size = 0
    return { number: number++, bytes }
  }
  for await (const chunk of unpacked(source)) {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      size += end - start
      parts.push(chunk.subarray(start, end))
      yield take()
      start = end + 1
    }
    if (start === chunk.length) continue
    size += chunk.length - start
    if (size > LONGEST_LINE) parts = []
    else parts.push(chunk.subarray(start))
  }
  if (size > 0) yield take()
}

/** What is in a file now: one that grows, by what is replayed from it for one, is not followed. Undefined where it is empty. */
async function openFile(file: string): Promise<Readable | undefined> {
  const found = await stat(file)
  if (!found.isFile()) return createReadStream(file)
  return found.size === 0 ? undefined : createReadStream(file, { end: found.size - 1 })
}

/** The content of a compressed stream, which is told by its first bytes, or the stream as it is. */
async function* unpacked(source: Readable): AsyncGenerator<Buffer> {
  const chunks: AsyncIterator<Buffer> = source[Symbol.asyncIterator]()
  let head: Buffer = Buffer.alloc(0)
  let done = false
  while (head.length < 4 && !done) {
    const next = await chunks.next()
    if (next.done) done = true
    else head = Buffer.concat([head, next.value])
  }
  const whole = async function* (): AsyncGenerator<Buffer> {
    yield head
    if (done) return
    yield* { [Symbol.asyncIterator]: () => chunks }
  }
  const known = MAGIC.find(({ bytes }) => head.subarray(0, bytes.length).equals(bytes))
  if (known === undefined) {
    yield* whole()
    return
  }
  const unpack = known.unpack()
  // What goes wrong on the way ends the iteration below.
  pipeline(Readable.from(whole()), unpack, () => {})
  yield* unpack as AsyncIterable<Buffer>
}
