import type { Rejection } from '../../src/component.ts'
import { describe, type Item, isUnready } from './item.ts'

/** What Elasticsearch said of each document of a bulk request. */
export interface BulkOutcome {
  readonly created: number
  /** Answered 409: they were there already, from an earlier attempt. */
  readonly duplicates: number
  /** Of those created, how many are in a failure store because the data stream itself refused them. */
  readonly redirected: number
  /** Of those refused, how many a failure store would have taken, or should have. */
  readonly notEnabled: number
  readonly redirectFailed: number
  /** Records to send again, with the gravest status that asked for it. */
  readonly retry: readonly number[]
  readonly retryStatus: number
  /** Refused for what the destination lacks, not for what they are. */
  readonly unready: readonly Rejection[]
  readonly rejected: readonly Rejection[]
}

/** Only these fields are asked for. Of a document in order, that is its status alone. */
export const FILTER_PATH =
  'errors,items.*.status,items.*.failure_store,items.*.error.type,items.*.error.reason'
const CLEAN = '{"errors":false}'
const CLEAN_HEAD = '{"errors":false,"items":['
const CLEAN_ITEM = '{"create":{"status":201}}'

/**
 * Reads the answer to a `_bulk` request for `records`, in the order of its actions.
 * Undefined when it is none: what became of the documents is unknown, and they are sent again.
 */
export function readAnswer(answer: Buffer, records: readonly number[]): BulkOutcome | undefined {
  if (isClean(answer, records.length)) return { ...NOTHING, created: records.length }
  const items = itemsOf(answer)
  if (items === undefined || items.length !== records.length) return undefined
  let [created, duplicates, retryStatus] = [0, 0, 0]
  const stored = { used: 0, not_enabled: 0, failed: 0 }
  const retry: number[] = []
  const [unready, rejected] = [new Reasons(), new Reasons()]
  items.forEach((item, index) => {
    const record = records[index]
    const { status, failure_store } = item
    if (failure_store !== undefined && Object.hasOwn(stored, failure_store)) stored[failure_store]++
    if (status >= 200 && status < 300) created++
    else if (status === 409) duplicates++
    else if (isRetryable(status)) {
      retry.push(record)
      retryStatus = isUnauthorized(retryStatus) ? retryStatus : status
    } else if (isUnready(item)) unready.add(describe(item), record)
    else rejected.add(describe(item), record)
  })
  return {
    created,
    duplicates,
    redirected: stored.used,
    notEnabled: stored.not_enabled,
    redirectFailed: stored.failed,
    retry,
    retryStatus,
    unready: unready.list(),
    rejected: rejected.list(),
  }
}

/** Too many requests, missing rights, which an operator gives back, and all that is no refusal. */
export function isRetryable(status: number): boolean {
  return status === 429 || isUnauthorized(status) || status < 400 || status >= 500
}

export function isUnauthorized(status: number): boolean {
  return status === 401 || status === 403
}

const NOTHING: BulkOutcome = {
  created: 0,
  duplicates: 0,
  redirected: 0,
  notEnabled: 0,
  redirectFailed: 0,
  retry: [],
  retryStatus: 0,
  unready: [],
  rejected: [],
}

/**
 * Whether everything was taken, by the length of the answer, so that thousands of statuses need not be read. A document
 * in the failure store is no error, but makes it longer.
 */
function isClean(answer: Buffer, count: number): boolean {
  if (answer.length === CLEAN.length) return answer.toString('latin1') === CLEAN
  const length = CLEAN_HEAD.length + count * (CLEAN_ITEM.length + 1) + 1
  return answer.length === length && answer.toString('latin1', 0, CLEAN_HEAD.length) === CLEAN_HEAD
}

/** Records by why they were refused. */
class Reasons {
  readonly #records = new Map<string, number[]>()

  add(reason: string, record: number): void {
    const same = this.#records.get(reason)
    if (same) same.push(record)
    else this.#records.set(reason, [record])
  }

  list(): Rejection[] {
    return [...this.#records].map(([reason, records]) => ({ reason, records }))
  }
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
