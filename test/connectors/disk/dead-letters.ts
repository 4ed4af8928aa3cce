import { join } from 'node:path'
import { pino } from 'pino'
import { Log } from '../../../connectors/disk/log.ts'
import { LogReader } from '../../../connectors/disk/log-reader.ts'
import { BEGINNING } from '../../../connectors/disk/position.ts'
import { Quarantine } from '../../../connectors/disk/quarantine.ts'
import type { StoredElement } from '../../../connectors/disk/segment.ts'

const silent = pino({ level: 'silent' })

export const openLog = (directory: string): Promise<Log> =>
  Log.open({
    directory,
    segmentBytes: 2 ** 26,
    atLeast: BEGINNING,
    log: silent,
    quarantine: new Quarantine({
      log: silent,
      lost: () => {},
      limits: { max_corrupt_bytes: 0, max_dead_letter_age: 0 },
    }),
    fenced: () => {},
  })

/** The dead letters of a buffer that nobody has open. */
export async function lettersIn(folder: string): Promise<StoredElement[]> {
  const log = await openLog(join(folder, 'dead'))
  const reader = new LogReader(log, 0)
  const letters: StoredElement[] = []
  for (let found = await reader.next(); found; found = await reader.next()) letters.push(found)
  await reader.close()
  await log.close()
  return letters
}
