/** A line that a bridge was told in this turn of the event loop. */
let told: string | undefined
/** A line that a captured console has printed in this turn, which a bridge may be told yet. */
let held: { readonly line: string; readonly log: () => void } | undefined
let forgetting = false
let captures = 0
let bridges = 0
let passing = false

/** Counts the captures of a console: only with one can a record come twice. Returns how to take that back. */
export function countCapture(): () => void {
  if (captures++ === 0) process.prependListener('exit', release)
  return () => {
    release()
    if (--captures === 0) process.removeListener('exit', release)
  }
}

/** Counts the bridges of loggers that may also print. */
export function countBridge(): void {
  bridges++
}

/**
 * Whether a bridge is to log what its logger tells it: not while a console hands on what it has logged itself. What is
 * also printed to a captured console in the same turn, before or after, is one record, and the bridge's: it has fields.
 *
 * @param textOf The line as the logger prints it; only called when it matters.
 */
export function isFirstTold(textOf: () => unknown): boolean {
  if (passing) return false
  if (captures === 0) return true
  const line = lineOf(textOf())
  if (held !== undefined && held.line === line) {
    held = undefined
    return true
  }
  release()
  told = line
  forgetLater()
  return true
}

/** Logs what a captured console has printed, unless it is the line of a bridge, or was handed on. */
export function logPrinted(text: unknown, log: () => void): void {
  if (passing) return
  release()
  const line = lineOf(text)
  if (line !== undefined && line === told) {
    told = undefined
  } else if (line === undefined || bridges === 0) {
    log()
  } else {
    held = { line, log }
    forgetLater()
  }
}

/** Hands on what a console has logged: where it leads to a bridge, or to itself, that is not logged again. */
export function handOn<T>(fn: () => T): T {
  const outer = passing
  passing = true
  try {
    return fn()
  } finally {
    passing = outer
  }
}

function lineOf(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined
  return text.endsWith('\n') ? text.slice(0, -1) : text
}

/** Logs what no bridge was told. */
function release(): void {
  const { log } = held ?? {}
  held = undefined
  log?.()
}

function forgetLater(): void {
  if (forgetting) return
  forgetting = true
  queueMicrotask(() => {
    forgetting = false
    told = undefined
    release()
  })
}
