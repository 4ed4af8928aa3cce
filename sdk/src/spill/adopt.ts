import { readdir, rename, rm, rmdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { saltOf } from './format.ts'
import { isAbandoned } from './owner.ts'
import { Segment } from './segment.ts'

/** Moves the segments of dead processes into `own`. Each file ends up with one of those who try at the same time. */
export async function adoptSegments(directory: string, own: string): Promise<Segment[]> {
  const adopted: Segment[] = []
  for (const name of await entries(directory)) {
    const folder = join(directory, name)
    if (name === basename(own) || !isAbandoned(folder)) continue
    for (const file of await entries(folder)) {
      const salt = saltOf(file)
      if (salt === undefined) continue
      const path = join(own, file)
      try {
        await rename(join(folder, file), path)
        adopted.push(Segment.found(path, salt, (await stat(path)).size))
      } catch {
        // Another process was quicker.
      }
    }
    await removeFolder(folder)
  }
  return adopted
}

async function entries(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}

/** Removes a folder of which nothing is left but the mark of its owner. */
async function removeFolder(folder: string): Promise<void> {
  const left = await entries(folder)
  if (left.some((name) => saltOf(name) !== undefined)) return
  await rm(join(folder, 'owner.json'), { force: true }).catch(() => {})
  await rmdir(folder).catch(() => {})
}
