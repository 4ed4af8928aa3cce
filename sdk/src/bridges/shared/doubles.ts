/** What a bridge was told last, until the turn of the event loop ends. */
let told: { readonly by: object; readonly text: string } | undefined
let forgetting = false
let captures = 0
let passing = false

/** Counts the captures of a console: only with one can a record come twice. Returns how to take that back. */
export function countCapture(): () => void {
  captures++
  return () => void captures--
}

/**
 * Whether a bridge is to log what it is told: not while another one hands on what it has logged itself, and not what
 * another one was told just before. A line that a logger writes for a bridge and also prints to a captured console is
 * one record.
 *
 * @param textOf The line as it was written or printed; undefined where there is none. Only called when it matters.
 */
export function isFirstTold(by: object, textOf: () => unknown): boolean {
  if (passing) return false
  const text = captures === 0 ? undefined : textOf()
  if (typeof text !== 'string') return true
  const line = text.endsWith('\n') ? text.slice(0, -1) : text
  if (told !== undefined && told.by !== by && told.text === line) {
    told = undefined
    return false
  }
  told = { by, text: line }
  if (!forgetting) {
    forgetting = true
    queueMicrotask(forget)
  }
  return true
}

function forget(): void {
  forgetting = false
  told = undefined
}

/** Hands on what a bridge has logged: other bridges that it leads to, or this one, do not log it again. */
export function handOn<T>(fn: () => T): T {
  const outer = passing
  passing = true
  try {
    return fn()
  } finally {
    passing = outer
  }
}
