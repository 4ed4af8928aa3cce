import { isTelling } from '../diagnostics.ts'
import type { Logger } from '../logger/logger.ts'
import { contentOfCall } from './console/call.ts'
import { countCapture, handOn, logPrinted } from './shared/doubles.ts'
import { emitRead } from './shared/emit.ts'

/** How diagnostics of this package begin that a console prints. */
const OWN = '@sluice/logs: '

/** OTel severity numbers. Methods that are not here print through one that is: `count`, `table`, `timeEnd`, … */
const SEVERITIES = {
  trace: 1,
  debug: 5,
  log: 9,
  info: 9,
  dir: 9,
  dirxml: 9,
  warn: 13,
  error: 17,
  assert: 17,
} as const

type Method = keyof typeof SEVERITIES
type Print = (...args: unknown[]) => void
type Methods = Record<Method, Print>

/** How a console is captured. */
export interface CaptureOptions {
  /** Whether it still prints. Default true. */
  readonly print?: boolean
  /** Default: the global one. */
  readonly console?: Console
}

/**
 * Logs what is printed with `console`. Returns how to have that undone.
 *
 * @example
 * ```ts
 * const restore = captureConsole(createLogger({ service: 'shop', level: 'debug' }))
 * ```
 */
export function captureConsole(log: Logger, options: CaptureOptions = {}): () => void {
  const { print = true, console: captured = globalThis.console } = options
  const methods = captured as unknown as Methods
  const originals: [Method, Print, Print][] = []
  const uncount = countCapture()
  let capturing = true
  for (const method of Object.keys(SEVERITIES) as Method[]) {
    const original = methods[method]
    const replacement = (...args: unknown[]): void => {
      if (!capturing) return original.apply(captured, args)
      if (!isOurs(args)) logPrinted(args.length === 1 ? args[0] : undefined, () => record(log, method, args))
      if (print) handOn(() => original.apply(captured, args))
    }
    methods[method] = replacement
    originals.push([method, original, replacement])
  }
  return () => {
    if (!capturing) return
    capturing = false
    uncount()
    // Where another one has captured it since, what stands there still leads here.
    for (const [method, original, replacement] of originals)
      if (methods[method] === replacement) methods[method] = original
  }
}

function isOurs([first]: readonly unknown[]): boolean {
  return isTelling() || (typeof first === 'string' && first.startsWith(OWN))
}

function record(log: Logger, method: Method, args: readonly unknown[]): void {
  if (method === 'assert' && args[0]) return
  emitRead(log, SEVERITIES[method], () => {
    if (method === 'assert') return contentOfCall(assertion(args.slice(1)))
    // Options of `dir` are about how it prints.
    if (method !== 'trace') return contentOfCall(method === 'dir' ? args.slice(0, 1) : args)
    const { stack } = new Error()
    const { fields, ...said } = contentOfCall(args.length === 0 ? ['Trace'] : args)
    return { ...said, fields: { 'code.stacktrace': stack, ...fields } }
  })
}

/** As the Console Standard words it. */
function assertion(said: readonly unknown[]): unknown[] {
  const [first, ...rest] = said
  if (said.length === 0) return ['Assertion failed']
  return typeof first === 'string' ? [`Assertion failed: ${first}`, ...rest] : ['Assertion failed', ...said]
}
