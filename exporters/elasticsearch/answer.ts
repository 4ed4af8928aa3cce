import type { Rejection } from '../../src/component.ts'

/** What Elasticsearch said of each document of a bulk request. */
export interface BulkOutcome {
  readonly created: number
  /** Answered 409: they were there already, from an earlier attempt. */
  readonly duplicates: number
  /** Records to send again, with the status that asked for it. */
  readonly retry: readonly number[]
  readonly retryStatus: number
  readonly rejected: readonly Rejection[]
}

interface Item {
  readonly status: number
  readonly error?: { readonly type?: string; readonly reason?: string }
}

/** Only these fields are asked for: of a document that was taken, the status. */
export const FILTER_PATH = 'errors,items.*.status,items.*.error.type,items.*.error.reason'
const CLEAN = '{"errors":false}'
const CLEAN_HEAD = '{"errors":false,"items":['
const CLEAN_ITEM = '{"create":{"status":201}}'

/**
 * Reads the answer to a `_bulk` request for `records`, in the order of its actions.
 * Undefined when it is none: what became of the documents is unknown, and they are sent again.
 */
export function readAnswer(answer: Buffer, records: readonly number[]): BulkOutcome | undefined {
  if (isClean(answer, records.length)) {
    return { created: records.length, duplicates: 0, retry: [], retryStatus: 0, rejected: [] }
  }
  const items = itemsOf(answer)
  if (items === undefined || items.length !== records.length) return undefined
  let created = 0
  let duplicates = 0
  let retryStatus = 0
  const retry: number[] = []
  const rejected = new Map<string, number[]>()
  items.forEach(({ status, error }, index) => {
    const record = records[index]
    if (status >= 200 && status < 300) created++
    else if (status === 409) duplicates++
    else if (isRetryable(status)) {
      retry.push(record)
      retryStatus = status
    } else {
      const reason = describe(status, error)
      const same = rejected.get(reason)
      if (same) same.push(record)
      else rejected.set(reason, [record])
    }
  })
  return {
    created,
    duplicates,
    retry,
    retryStatus,
    rejected: [...rejected].map(([reason, refused]) => ({ reason, records: refused })),
  }
}

/** Too many requests, missing rights, which an operator gives back, and all that is no refusal. */
export function isRetryable(status: number): boolean {
  return status === 429 || status === 401 || status === 403 || status < 400 || status >= 500
}

/** Whether everything was taken, by the length of the answer, so that thousands of statuses need not be read. */
function isClean(answer: Buffer, count: number): boolean {
  if (answer.length === CLEAN.length) return answer.toString('latin1') === CLEAN
  const length = CLEAN_HEAD.length + count * (CLEAN_ITEM.length + 1) + 1
  return answer.length === length && answer.toString('latin1', 0, CLEAN_HEAD.length) === CLEAN_HEAD
}

function itemsOf(answer: Buffer): Item[] | undefined {
  try {
    const parsed: unknown = JSON.parse(answer.toString())
    const { items } = parsed as { items?: Record<string, Item>[] }
    const results = items?.map((item) => Object.values(item)[0])
    return results?.every((item) => typeof item?.status === 'number') ? results : undefined
  } catch {
    return undefined
  }
}

/** Why a document was refused, without any of its content: the reason of a mapping error quotes the value. */
function describe(status: number, error: Item['error']): string {
  const field = /\bfield \[([^\]]{1,200})\]/.exec(error?.reason ?? '')?.[1]
  const type = /\bof type \[([^\]]{1,100})\]/.exec(error?.reason ?? '')?.[1]
  const where = field === undefined ? '' : ` at field ${field}${type === undefined ? '' : ` of type ${type}`}`
  return `${status} ${error?.type ?? 'error'}${where}`
}
