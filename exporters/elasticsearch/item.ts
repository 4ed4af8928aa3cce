/** What a bulk response says of one document. */
export interface Item {
  readonly status: number
  readonly failure_store?: 'used' | 'not_enabled' | 'failed'
  readonly error?: { readonly type?: string; readonly reason?: string }
}

const TYPE = /^[a-z_]{1,80}$/
/** Reasons quote values of documents, and a value may look like anything: only what stands in these places is a name. */
const FIELD =
  /^(?:\[\d+:\d+\] )?(?:failed to parse: )?(?:failed to parse field|object mapping for|mapper|data stream timestamp field) \[([^\]]{1,200})\]/
const FIELD_TYPE = /^(?:\[\d+:\d+\] )?failed to parse field \[[^\]]{1,200}\] of type \[([a-z_]{1,40})\]/
const INDEX = /^no such index \[([^\][\s"']{1,255})\]/

/** Types that say something of the destination, whatever the document is. */
const UNREADY_TYPES = new Set(['index_not_found_exception', 'index_closed_exception'])
/** The same in types that mean many things. */
const UNREADY_REASON =
  /^(?:Validation Failed: 1: )?this action would add \[\d+\](?: total)? shards|^pipeline with id \[[^\]]*\] does not exist|^no write index is defined for alias|^no matching index template found/

/** Indexing pressure, with the bytes that all requests together may take. What it says of the request is of a part of it. */
const PRESSURE =
  /^rejected execution of coordinating operation \[.*\bmax_coordinating(?:_and_primary)?_bytes=(\d+)\]/

/**
 * Whether a document was refused for what the destination lacks: a template, a pipeline, room for another shard. An
 * operator mends that, and then the document is welcome.
 */
export function isUnready({ error }: Item): boolean {
  return UNREADY_TYPES.has(error?.type ?? '') || UNREADY_REASON.test(error?.reason ?? '')
}

/** Why a document was refused, without any of its content. */
export function describe({ status, error }: Item): string {
  const reason = error?.reason ?? ''
  const index = INDEX.exec(reason)?.[1]
  const field = FIELD.exec(reason)?.[1]
  const type = FIELD_TYPE.exec(reason)?.[1]
  const place = field === undefined ? '' : ` at field ${field}${type === undefined ? '' : ` of type ${type}`}`
  return `${status} ${errorType(error?.type) ?? 'error'}${index === undefined ? '' : ` ${index}`}${place}`
}

/** Why a whole request was refused. `problem` is for our eyes only: it may quote documents. */
export function problemIn(body: Buffer): { readonly type: string | undefined; readonly problem: string } {
  try {
    const { error } = JSON.parse(body.toString()) as { error?: string | NonNullable<Item['error']> }
    if (typeof error === 'string') return { type: undefined, problem: error }
    return { type: errorType(error?.type), problem: String(error?.reason ?? '') }
  } catch {
    return { type: undefined, problem: '' }
  }
}

/** Bytes that all requests together may take, where a request was refused for want of memory; or else no limit. */
export function pressureLimit(problem: string): number {
  return Number(PRESSURE.exec(problem)?.[1] ?? Number.POSITIVE_INFINITY)
}

function errorType(type: unknown): string | undefined {
  return typeof type === 'string' && TYPE.test(type) ? type : undefined
}
