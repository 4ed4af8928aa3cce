import process from 'node:process'
import { diag } from '@opentelemetry/api'

const INTERVAL = 60_000

let telling = false

/** Whether a diagnostic is being written: what a console is told meanwhile is no log of the application. */
export const isTelling = (): boolean => telling

/** Tells whoever runs the application what is wrong with its logging. */
export interface Diagnostics {
  /**
   * Writes one line, or counts it where one of the same kind was written less than a minute ago. Never throws.
   *
   * @param kind A short word that never holds a part of a record.
   */
  warn(kind: string, message: string): void
}

/**
 * Writes to the `diag` logger of `@opentelemetry/api` where the application has set one, otherwise to standard error.
 *
 * @param write Takes a line instead.
 */
export function createDiagnostics(write: (line: string) => void = writeLine): Diagnostics {
  const kinds = new Map<string, { at: number; held: number }>()
  return {
    warn(kind, message) {
      const now = performance.now()
      const last = kinds.get(kind)
      if (last !== undefined && now - last.at < INTERVAL) {
        last.held++
        return
      }
      const held = last?.held ?? 0
      kinds.set(kind, { at: now, held: 0 })
      telling = true
      try {
        write(held === 0 ? message : `${message} (and ${held} more of the kind before)`)
      } catch {
        // Nobody is left to tell.
      }
      telling = false
    },
  }
}

function writeLine(line: string): void {
  if (hasDiagLogger()) diag.warn(`@sluice/logs: ${line}`)
  // Not through console: the console may be captured into this very logger.
  else process.stderr.write(`@sluice/logs: ${line}\n`)
}

/** Where the API keeps what was set globally: `@opentelemetry/api`, src/internal/global-utils.ts. */
function hasDiagLogger(): boolean {
  const key = Symbol.for('opentelemetry.js.api.1')
  const api = (globalThis as { [key]?: { diag?: unknown } })[key]
  return api?.diag !== undefined
}
