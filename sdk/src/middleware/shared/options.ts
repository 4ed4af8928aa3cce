import { createDiagnostics } from '../../diagnostics.ts'
import type { Level } from '../../logger/levels.ts'
import type { Logger } from '../../logger/logger.ts'

/** How requests are logged. What these functions throw is told of, and they count as not given. */
export interface RequestLogOptions<Request> {
  readonly logger: Logger
  /** Attributes of every record that is logged for the request, its access log included: the tenant, for instance. */
  readonly attributes?: (request: Request) => Readonly<Record<string, unknown>> | undefined
  /** Requests without an access log: paths, which may end in `*`, or a function. They have a context all the same. */
  readonly ignore?: readonly string[] | ((request: Request) => boolean)
  /** What is logged of the query: its names with `REDACTED` for values, all of it, or nothing. Default `redact`. */
  readonly query?: 'redact' | 'keep' | 'omit'
  /** The level of an access log. Default: `error` from status 500 on, `warn` from 400 on and for aborted ones, else `info`. */
  readonly level?: (request: Request, status: number) => Level
}

const diagnostics = createDiagnostics()

/** What the application's own function answers; undefined where it throws. */
export function attempt<T>(name: string, fn: () => T): T | undefined {
  try {
    return fn()
  } catch {
    diagnostics.warn(`middleware ${name}`, `option ${name} of the request log threw, and was left out`)
    return undefined
  }
}

/** Whether a request has no access log. */
export function isIgnored<Request>(
  ignore: RequestLogOptions<Request>['ignore'],
  request: Request,
  path: string,
): boolean {
  if (ignore === undefined) return false
  if (typeof ignore === 'function') return attempt('ignore', () => ignore(request)) === true
  return ignore.some((one) => (one.endsWith('*') ? path.startsWith(one.slice(0, -1)) : path === one))
}
