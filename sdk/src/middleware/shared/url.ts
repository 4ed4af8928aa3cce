import type { RequestLogOptions } from './options.ts'

/** Path and query of a request target: the origin form, or the absolute form of RFC 9112, section 3.2.2. */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const origin = /^https?:\/\/[^/?#]*/i.exec(target)?.[0].length ?? 0
  const end = target.indexOf('#')
  const local = target.slice(origin, end === -1 ? undefined : end)
  const mark = local.indexOf('?')
  if (mark === -1) return { path: local || '/', query: '' }
  return { path: local.slice(0, mark) || '/', query: local.slice(mark + 1) }
}

/** The query as it may be logged; undefined where there is none. */
export function shownQuery(query: string, mode: RequestLogOptions<never>['query']): string | undefined {
  if (query === '' || mode === 'omit') return undefined
  return mode === 'keep' ? query : query.replaceAll(/=[^&]*/g, '=REDACTED')
}

/** Name and port of a `Host` header. */
export function splitHost(host: string): { readonly address: string; readonly port: number | undefined } {
  const match = /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(host)
  return match === null
    ? { address: host, port: undefined }
    : { address: match[1], port: match[2] === undefined ? undefined : Number(match[2]) }
}
