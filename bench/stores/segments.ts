import { pino } from 'pino'
import { Cursor } from '../../connectors/disk/cursor.ts'
import { Log } from '../../connectors/disk/log.ts'
import { LogReader } from '../../connectors/disk/log-reader.ts'
import { BEGINNING, type Position } from '../../connectors/disk/position.ts'
import { Quarantine } from '../../connectors/disk/quarantine.ts'
import type { StoreKind } from './store.ts'

const SEGMENT_BYTES = 64 * 2 ** 20
const GROUP = 'bench'

/** The log of `connectors/disk`, with checksums, a cursor and whatever else it does. */
export const segments: StoreKind = {
  name: 'segment log',
  async open(folder) {
    const log = pino({ level: 'silent' })
    const cursor =
      (await Cursor.open(folder, GROUP).catch(() => undefined)) ??
      (await Cursor.create(folder, GROUP, BEGINNING))
    const storage = await Log.open({
      directory: folder,
      segmentBytes: SEGMENT_BYTES,
      atLeast: cursor.position,
      log,
      quarantine: new Quarantine({
        log,
        lost: () => {},
        limits: { max_corrupt_bytes: 0, max_dead_letter_age: 0 },
      }),
      fenced: () => {},
    })
    const reader = new LogReader(storage, cursor.position.elements)
    let taken: Position = cursor.position
    return {
      append: (bytes) => storage.append({ bytes, records: 1 }),
      async take(count) {
        const elements: Buffer[] = []
        while (elements.length < count) {
          const found = await reader.next()
          if (found === undefined) break
          elements.push(found.payload)
          taken = found.end
        }
        return elements
      },
      async remove() {
        await cursor.save(taken)
        storage.trim(taken.elements)
      },
      async close() {
        await reader.close()
        await cursor.close()
        await storage.close()
      },
    }
  },
}
