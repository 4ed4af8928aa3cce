import { setTimeout as delay } from 'node:timers/promises'
import type { Issued, Ledger } from './ledger.ts'
import { ACKNOWLEDGED, grpcSender, isRetryable } from './senders.ts'

const CONNECTIONS = 4
const RECORDS = 500
const RETRY_PAUSE = 250

export interface PacedLoad extends AsyncDisposable {
  /** Issues nothing more, and resolves when everything is acknowledged. */
  finish(): Promise<void>
}

export interface PacedLoadOptions {
  /** How many records may be issued by now; no limit when absent. */
  readonly allowed?: () => number
  readonly bodyLength?: number
}

/** Sends `rate` records a second over gRPC, whether or not the collector keeps up, each until it is acknowledged. */
export function startPacedLoad(
  ledger: Ledger,
  port: number,
  rate: number,
  { allowed = () => Number.POSITIVE_INFINITY, bodyLength }: PacedLoadOptions = {},
): PacedLoad {
  const senders = Array.from({ length: CONNECTIONS }, () => grpcSender(port))
  const underWay = new Set<Promise<void>>()
  const ending = new AbortController()
  let abandoned = false
  let failure: Error | undefined

  async function deliver(request: Issued, index: number): Promise<void> {
    while (!abandoned) {
      const answer = await senders[index % CONNECTIONS].send(request.bytes)
      if (answer === ACKNOWLEDGED) {
        ledger.acknowledge(request)
        return
      }
      ledger.refuse(request, answer)
      if (!isRetryable(answer)) {
        failure = new Error(`a request was answered with ${answer}`)
        return
      }
      await delay(RETRY_PAUSE)
    }
  }

  async function issue(): Promise<void> {
    const interval = (RECORDS * 1000) / rate
    let due = performance.now()
    for (let index = 0; !ending.signal.aborted; index++, due += interval) {
      if (due > performance.now()) await delay(due - performance.now())
      while (ledger.issued >= allowed() && !ending.signal.aborted) {
        await delay(interval)
        due = performance.now()
      }
      if (ending.signal.aborted) return
      const delivery = deliver(ledger.issue(RECORDS, bodyLength), index).finally(() =>
        underWay.delete(delivery),
      )
      underWay.add(delivery)
    }
  }

  const issuing = issue()
  const end = async (): Promise<void> => {
    ending.abort()
    await issuing
    await Promise.all(underWay)
    for (const sender of senders) sender[Symbol.dispose]()
  }
  return {
    async finish() {
      await end()
      if (failure) throw failure
    },
    async [Symbol.asyncDispose]() {
      abandoned = true
      await end()
    },
  }
}
