import { setTimeout as delay } from 'node:timers/promises'
import { copyFrame, type Frame, stamp } from './frames.ts'
import type { Sender } from './senders.ts'

/** What a loop saw. */
export interface Traffic {
  readonly requests: number
  /** Answers other than success; each was sent again, as an SDK would. */
  readonly refused: number
  /** Milliseconds until each request was accepted. */
  readonly latencies: readonly number[]
}

const RETRY_MS = 50

/**
 * As fast as the collector takes it: `inflight` requests under way on each connection, the next one when one is
 * accepted. Latency counts from when a request was first sent.
 */
export async function closedLoop(options: {
  readonly senders: readonly Sender[]
  readonly frames: readonly Frame[]
  readonly inflight: number
  readonly seconds: number
}): Promise<Traffic> {
  const { senders, frames, inflight, seconds } = options
  const latencies: number[] = []
  const until = performance.now() + seconds * 1000
  let next = 0
  let refused = 0
  const worker = async (sender: Sender): Promise<void> => {
    while (performance.now() < until) {
      const { bytes } = frames[next++ % frames.length]
      const started = performance.now()
      refused += await sendUntilAccepted(sender, bytes)
      latencies.push(performance.now() - started)
    }
  }
  const workers = senders.flatMap((sender) => Array.from({ length: inflight }, () => worker(sender)))
  await Promise.all(workers)
  return { requests: latencies.length, refused, latencies }
}

/**
 * At a fixed rate, whatever the collector does. Every record's time is when it was meant to be sent, and latency
 * counts from then: when the collector or this process falls behind, the wait shows (no coordinated omission).
 */
export async function openLoop(options: {
  readonly senders: readonly Sender[]
  readonly frames: readonly Frame[]
  readonly requestsPerSecond: number
  readonly seconds: number
}): Promise<Traffic> {
  const { senders, frames, requestsPerSecond, seconds } = options
  const total = Math.round(requestsPerSecond * seconds)
  const idle: Frame[] = []
  const underWay = new Set<Promise<void>>()
  const latencies: number[] = []
  let refused = 0
  const clock = Date.now() - performance.now()
  const started = performance.now()
  for (let request = 0; request < total; request++) {
    const intended = started + (request * 1000) / requestsPerSecond
    const early = intended - performance.now()
    if (early > 0) await delay(early)
    const frame = idle.pop() ?? copyFrame(frames[request % frames.length])
    stamp(frame, clock + intended)
    const sending = sendUntilAccepted(senders[request % senders.length], frame.bytes).then((refusals) => {
      refused += refusals
      latencies.push(performance.now() - intended)
      idle.push(frame)
      underWay.delete(sending)
    })
    underWay.add(sending)
  }
  await Promise.all(underWay)
  return { requests: latencies.length, refused, latencies }
}

/** How often the request was refused before. */
async function sendUntilAccepted(sender: Sender, body: Buffer): Promise<number> {
  let refused = 0
  while (!(await sender.send(body))) {
    refused++
    await delay(RETRY_MS)
  }
  return refused
}
