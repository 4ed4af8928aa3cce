import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { makePayload } from '../payload.ts'

export interface PacedOptions {
  /** Port of OTLP/HTTP. */
  readonly port: number
  readonly token: string
  /** Requests a second, at an even pace, whether or not those before were answered. */
  readonly rate: number
  readonly records: number
  readonly seconds: number
}

/** What became of the requests of one tenant. */
export interface Paced {
  readonly taken: number
  readonly refused: number
  /** Milliseconds from when each was due to its answer, of those that were taken. */
  readonly latencies: readonly number[]
}

const CONNECTIONS = 16

/** Sends requests of a tenant at an even pace. */
export async function sendPaced({ port, token, rate, records, seconds }: PacedOptions): Promise<Paced> {
  const dispatcher = new Agent({ connections: CONNECTIONS })
  const body = makePayload({ records, seed: 1 })
  const headers = { 'content-type': 'application/x-protobuf', authorization: `Bearer ${token}` }
  const latencies: number[] = []
  let refused = 0
  const send = async (due: number): Promise<void> => {
    const url = `http://127.0.0.1:${port}/v1/logs`
    const answer = await request(url, { method: 'POST', headers, body, dispatcher })
    await answer.body.dump()
    if (answer.statusCode === 200) latencies.push(performance.now() - due)
    else refused++
  }
  const started = performance.now()
  const all: Promise<void>[] = []
  for (let sent = 0; sent < rate * seconds; sent++) {
    const due = started + (sent * 1000) / rate
    const wait = due - performance.now()
    if (wait > 0) await sleep(wait)
    all.push(send(due))
  }
  await Promise.all(all)
  await dispatcher.close()
  return { taken: latencies.length, refused, latencies }
}
