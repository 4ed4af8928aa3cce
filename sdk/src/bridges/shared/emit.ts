import type { ForeignRecord, Logger } from '../../logger/logger.ts'
import { THROWS } from '../../record/markers.ts'

type Content = Omit<ForeignRecord, 'severity'>

/** Logs what `content` reads from a record of another library; that it was there, where it cannot be read. */
export function emitRead(log: Logger, severity: number, content: () => Content): void {
  if (!log.enabled(severity)) return
  let read: Content
  try {
    read = content()
  } catch {
    read = { body: THROWS }
  }
  log.emit({ severity, ...read })
}
