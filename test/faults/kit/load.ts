import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '../../e2e/sluice.ts'
import type { Ledger } from './ledger.ts'
import { ACKNOWLEDGED, grpcSender, httpSender, isRetryable, type Sender } from './senders.ts'

const RETRY_PAUSE = 100
/** On a machine that has other things to do. */
const PATIENCE = 120_000

export interface LoadOptions {
  readonly ledger: Ledger
  readonly grpc: number
  readonly http: number
  /** Over each protocol. */
  readonly clients?: number
  readonly records?: number
  /** Milliseconds between two requests of a client. */
  readonly pause?: number
  readonly bodyLength?: number
}

/** Clients that send until they are told to stop. */
export interface Load extends AsyncDisposable {
  /** Of the attempts that were answered, milliseconds. */
  readonly longestAttempt: number
  /** Resolves when this many more records are acknowledged. */
  progress(records: number, timeout?: number): Promise<void>
  /** Issues nothing more, and resolves when all is acknowledged that a patient client holds. */
  finish(): Promise<void>
}

/**
 * Starts clients over both protocols. They repeat a refused request until it is acknowledged, as an SDK with endless
 * patience would; one of four gives up at the first refusal, as an impatient one does, so that not everything that
 * is issued is acknowledged.
 */
export function startLoad(options: LoadOptions): Load {
  const { ledger, grpc, http, clients = 4, records = 25, pause = 15, bodyLength } = options
  const senders = Array.from({ length: 2 * clients }, (_, i) => (i % 2 ? grpcSender(grpc) : httpSender(http)))
  let ending = false
  let abandoned = false
  let longestAttempt = 0

  async function attempt(sender: Sender, bytes: Buffer): Promise<string> {
    const started = performance.now()
    const answer = await sender.send(bytes)
    longestAttempt = Math.max(longestAttempt, performance.now() - started)
    return answer
  }

  async function sendOneByOne(sender: Sender, patient: boolean): Promise<void> {
    while (!ending) {
      const request = ledger.issue(records, bodyLength)
      for (;;) {
        const answer = await attempt(sender, request.bytes)
        if (answer === ACKNOWLEDGED) {
          ledger.acknowledge(request)
          break
        }
        ledger.refuse(request, answer)
        if (!isRetryable(answer)) throw new Error(`a request was answered with ${answer}`)
        await delay(RETRY_PAUSE)
        if (!patient || abandoned) break
      }
      await delay(pause)
    }
  }

  const sending = Promise.all(senders.map((sender, i) => sendOneByOne(sender, i % 4 !== 3)))
  sending.catch(() => {})
  const close = (): void => {
    for (const sender of senders) sender[Symbol.dispose]()
  }
  return {
    get longestAttempt() {
      return longestAttempt
    },
    async progress(more, timeout = PATIENCE) {
      const goal = ledger.acknowledged + more
      const reached = eventually(
        `${more} more records are acknowledged`,
        async () => ledger.acknowledged >= goal,
        timeout,
      )
      await Promise.race([reached, sending])
    },
    async finish() {
      ending = true
      await sending
      close()
    },
    async [Symbol.asyncDispose]() {
      ending = abandoned = true
      await sending.catch(() => {})
      close()
    },
  }
}
