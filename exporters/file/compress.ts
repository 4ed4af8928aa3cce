import { createReadStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip, createZstdCompress } from 'node:zlib'
import { syncDirectory, writeAll } from '../../src/files.ts'
import { COMPRESSIONS, type Compression, UNFINISHED } from './layout.ts'

const STREAMS = { gzip: () => createGzip(), zstd: () => createZstdCompress() }

/**
 * Puts a compressed file in the place of a file, without ever having neither: it gets its name once it is complete on
 * the disk, and only then the other one goes. Memory does not grow with the size of the file.
 */
export async function compressFile(
  path: string,
  compression: Compression,
  mode: number,
  signal: AbortSignal,
): Promise<void> {
  const packed = path + COMPRESSIONS[compression]
  const unfinished = packed + UNFINISHED
  try {
    const handle = await open(unfinished, 'w', mode)
    try {
      const write = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
        let size = 0
        for await (const chunk of chunks) {
          await writeAll(handle, [chunk], size)
          size += chunk.length
        }
      }
      await pipeline(createReadStream(path), STREAMS[compression](), write, { signal })
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(unfinished, packed)
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => {})
    throw error
  }
  await syncDirectory(dirname(packed))
  await rm(path)
}
