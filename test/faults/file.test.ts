import { watch } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { inParallel, numberedRequests, postUntilAccepted } from '../e2e/client.ts'
import { filesIn, linesIn, sequenceOf, startFilePath } from '../e2e/file-path.ts'
import { eventually } from '../e2e/sluice.ts'
import { scaled, timeLimit } from './kit/scale.ts'
import { mountSmallDisk } from './kit/small-disk.ts'

const KILLS = scaled(5, 30)

describe('files of logs', { timeout: timeLimit(300, 1200) }, () => {
  it('hold all that was acknowledged when the process is killed while it rotates and compresses', async () => {
    const requests = numberedRequests(60 * KILLS, 100, 'file')
    await using path = await startFilePath('rotation: { max_megabytes: 0.5, compression: gzip }')
    const { sluice, http, directory } = path
    let accepted = 0

    const sending = inParallel(requests, 4, async ({ bytes }) => {
      await postUntilAccepted(http, bytes)
      accepted++
    })
    let interrupted = 0
    for (let kill = 1; kill <= KILLS; kill++) {
      const share = (kill / (KILLS + 1)) * requests.length
      await eventually('some requests are accepted', async () => accepted > share)
      await compressionBegins(directory)
      await sluice.kill()
      if ((await filesIn(directory)).some((file) => file.endsWith('.tmp'))) interrupted++
      await sluice.restart()
    }
    await sending
    await eventually(
      'the buffer is empty',
      async () => (await sluice.metrics()).sum('sluice_buffer_records') === 0,
    )
    await eventually('all closed files are compressed', async () =>
      (await filesIn(directory)).every((file) => file.endsWith('.gz') || !file.includes('@')),
    )
    await sluice.stopProcess()

    expect(interrupted).toBeGreaterThan(0)
    const found = sequenceOf(await linesIn(await filesIn(directory)))
    const sent = requests.flatMap(({ sequence }) => sequence)
    expect([...new Set(found)]).toEqual(sent)
    // What was written and not yet acknowledged at a kill comes again: four batches of 64 KiB at the most, each time.
    expect(found.length - sent.length).toBeLessThan(KILLS * 4 * 1000)
  })

  it('wait for room on a full disk, and go on by themselves, each record once', async () => {
    await using disk = await mountSmallDisk(4)
    const directory = join(disk.path, 'files')
    const requests = numberedRequests(60, 100, 'file')
    await using path = await startFilePath('rotation: { max_megabytes: 0.5, compression: zstd }', directory)
    const { sluice, http } = path
    const failed = async (): Promise<number> =>
      (await sluice.metrics()).sum('sluice_file_errors_total', { operation: 'write', reason: 'ENOSPC' })

    for (const part of [requests.slice(0, 20), requests.slice(20, 40), requests.slice(40)]) {
      const before = await failed()
      disk.fill()
      for (const { bytes } of part) await postUntilAccepted(http, bytes)
      await eventually('writing fails', async () => (await failed()) > before)
      disk.clear()
      await eventually(
        'the buffer is empty',
        async () => (await sluice.metrics()).sum('sluice_buffer_records') === 0,
      )
    }
    await sluice.stopProcess()

    expect(sluice.output).toContain(`the disk of ${directory}/unknown/2026-09-21.ndjson is full (ENOSPC)`)
    expect(sluice.output).toContain('files can be written again')
    const found = sequenceOf(await linesIn(await filesIn(directory)))
    expect(found).toEqual(requests.flatMap(({ sequence }) => sequence))
  })
})

/** Resolves when a file that is not complete yet appears below the folder. */
async function compressionBegins(directory: string): Promise<void> {
  for await (const { filename } of watch(directory, { recursive: true })) {
    if (filename?.endsWith('.tmp')) return
  }
}
