/** Where a log call stands: the attributes of the semantic conventions. */
export interface CodeLocation {
  readonly 'code.function.name': string | undefined
  readonly 'code.file.path': string
  readonly 'code.line.number': number
  readonly 'code.column.number': number
}

/** `    at place (file:///app/shop.ts:12:7)`, as V8 and Bun write it. */
const FRAME = /^\s*at (?:(?:async )?(.+?) \()?(?:file:\/\/)?(.+?):(\d+):(\d+)\)?$/

/** The place that `callee` was called from. Reading the stack takes some microseconds. */
export function locate(callee: (...args: never[]) => unknown): CodeLocation | undefined {
  const holder: { stack?: string } = {}
  const before = Error.stackTraceLimit
  let frame: RegExpExecArray | null
  try {
    Error.stackTraceLimit = 1
    Error.captureStackTrace(holder, callee)
    // The text is made when it is first read.
    frame = FRAME.exec(String(holder.stack).split('\n').at(-1) ?? '')
  } finally {
    Error.stackTraceLimit = before
  }
  if (frame === null) return undefined
  const [, name, path, line, column] = frame
  return {
    'code.function.name': name,
    'code.file.path': path,
    'code.line.number': Number(line),
    'code.column.number': Number(column),
  }
}
