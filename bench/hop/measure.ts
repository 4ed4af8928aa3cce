import { setImmediate as turn } from 'node:timers/promises'
import { constants, zstdDecompressSync } from 'node:zlib'
import { packElement } from '../../src/buffer/element.ts'
import type { Lease } from '../../src/component.ts'
import { LogBatch } from '../../src/logs/batch.ts'
import { makePayload } from '../payload.ts'
import { cpuSecondsOf } from '../processes.ts'
import { BUDGET_MACHINE, Reference } from '../reference.ts'
import { type Latency, latencyOf } from '../statistics.ts'
import { GROUP, HOPS, type Hop } from './hops.ts'

/**
 * Measures one hop, in this process, and prints what it took as JSON: `measure.ts disk zstd 8`, for eight rounds.
 */
export const RECORDS = 500
/** Requests of one round, each a batch of its own. */
const REQUESTS = 48
const INFLIGHT = 16
/** Bytes of an element before it is compressed: `element_size` of both connectors. */
const ELEMENT = 1024 * 1024
const WARM_UP_ROUNDS = 4
/** Pushes one after the other, whose waits are measured. */
const WAITS = 100

/** What one round took, in CPU µs per record. */
export interface Round {
  readonly push: number
  readonly take: number
  /** Of these, to compress and to decompress; 0 where nothing is compressed. */
  readonly compress: number
  readonly decompress: number
  /** Of the server alone. */
  readonly server: number
  readonly slowness: number
}

export interface Measured {
  readonly rounds: readonly Round[]
  /** Until a push was acknowledged, with nothing else under way, in milliseconds. */
  readonly waits: Latency
}

type Leases = AsyncIterator<Lease>

if (import.meta.main) {
  const [kind, compression, rounds] = process.argv.slice(2)
  await using hop = await HOPS[kind](compression === 'none' ? 'none' : 'zstd')
  console.log(JSON.stringify(await measure(hop, compression !== 'none', Number(rounds))))
}

async function measure(hop: Hop, compressed: boolean, count: number): Promise<Measured> {
  const payloads = Array.from({ length: REQUESTS }, (_, seed) =>
    makePayload({ records: RECORDS, seed: seed + 1 }),
  )
  const reference = new Reference()
  const stopped = new AbortController()
  const leases = hop.connector.leases(GROUP, stopped.signal)[Symbol.asyncIterator]()
  const rounds: Round[] = []
  for (let done = -WARM_UP_ROUNDS; done < count; done++) {
    const taken = await round(hop, leases, payloads, reference)
    const packing = compressed ? packingOf(payloads) : { compress: 0, decompress: 0 }
    if (done >= 0) rounds.push({ ...taken, ...packing })
  }
  const waits = latencyOf(await waitsOf(hop, leases, payloads))
  stopped.abort()
  await leases.return?.()
  return { rounds, waits }
}

async function round(
  { connector, server }: Hop,
  leases: Leases,
  payloads: readonly Buffer[],
  reference: Reference,
): Promise<Omit<Round, 'compress' | 'decompress'>> {
  const perRecord = 1 / (payloads.length * RECORDS)
  const slowness = reference.sample() / BUDGET_MACHINE
  // The path owns the bytes it is given, and decoding is the receiver's.
  const batches = payloads.map((payload) => LogBatch.decode(Buffer.from(payload)))
  await turn()
  const serverBefore = await serverCpu(server)
  const pushing = process.cpuUsage()
  const { signal } = new AbortController()
  let next = 0
  const client = async (): Promise<void> => {
    while (next < batches.length) await connector.push(batches[next++], signal)
  }
  await Promise.all(Array.from({ length: INFLIGHT }, client))
  const push = cpuSince(pushing)
  const taking = process.cpuUsage()
  for (let taken = 0; taken < batches.length * RECORDS; ) {
    const { value: lease } = await leases.next()
    taken += lease.batch.size
    await lease.ack()
    lease.batch.release()
  }
  const take = cpuSince(taking)
  const serverCpuUsed = (await serverCpu(server)) - serverBefore
  return { push: push * perRecord, take: take * perRecord, server: serverCpuUsed * perRecord, slowness }
}

/** The same bytes, compressed as elements of the usual size are. */
function packingOf(payloads: readonly Buffer[]): { compress: number; decompress: number } {
  const all = Buffer.concat(payloads)
  const elements: Buffer[] = []
  for (let at = 0; at < all.length; at += ELEMENT) elements.push(all.subarray(at, at + ELEMENT))
  const perRecord = 1 / (payloads.length * RECORDS)
  const compressing = process.cpuUsage()
  const packed = elements.map((element) => packElement(element, 'zstd'))
  const compress = cpuSince(compressing) * perRecord
  const decompressing = process.cpuUsage()
  for (const element of packed) zstdDecompressSync(element, { chunkSize: ELEMENT + constants.Z_MIN_CHUNK })
  return { compress, decompress: cpuSince(decompressing) * perRecord }
}

async function waitsOf({ connector }: Hop, leases: Leases, payloads: readonly Buffer[]): Promise<number[]> {
  const waits: number[] = []
  const { signal } = new AbortController()
  while (waits.length < WAITS) {
    const batch = LogBatch.decode(Buffer.from(payloads[waits.length % payloads.length]))
    const started = performance.now()
    await connector.push(batch, signal)
    waits.push(performance.now() - started)
    const { value: lease } = await leases.next()
    await lease.ack()
    lease.batch.release()
  }
  return waits
}

/** CPU µs. */
function cpuSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start)
  return user + system
}

/** CPU µs of a server; 0 where there is none. */
async function serverCpu(pid: number | undefined): Promise<number> {
  return pid === undefined ? 0 : (await cpuSecondsOf(pid)) * 1e6
}
