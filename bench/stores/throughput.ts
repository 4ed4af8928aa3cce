import { readFileSync } from 'node:fs'
import { type Latency, latencyOf } from '../statistics.ts'
import { fill } from './element.ts'
import type { Store, StoreKind } from './store.ts'

/** Appends under way at once. */
const CLIENTS = 16
const TAKEN_AT_ONCE = 16
const MIB = 2 ** 20

export interface Phase {
  readonly mibPerSecond: number
  /** Of all threads, a MiB. */
  readonly cpuMsPerMib: number
  /** Bytes written to the disk, for each byte of an element; NaN where the system does not tell. */
  readonly amplification: number
}

export interface Throughput {
  readonly write: Phase
  readonly drain: Phase
  /** Until an append was on the disk. */
  readonly wait: Latency
}

/** Writes so many bytes as elements, and then reads and removes them, in order. */
export async function throughput(
  kind: StoreKind,
  folder: string,
  elementBytes: number,
  totalBytes: number,
): Promise<Throughput> {
  const count = Math.ceil(totalBytes / elementBytes)
  const store = await kind.open(folder)
  const waits: number[] = []
  const write = await phase(totalBytes, () => append(store, count, elementBytes, waits))
  const drain = await phase(totalBytes, async () => {
    for (let taken = 0; taken < count; ) {
      const elements = await store.take(TAKEN_AT_ONCE)
      if (elements.length === 0) throw new Error(`${kind.name} has only ${taken} of ${count} elements`)
      taken += elements.length
      await store.remove()
    }
  })
  await store.close()
  return { write, drain, wait: latencyOf(waits) }
}

async function append(store: Store, count: number, bytes: number, waits: number[]): Promise<void> {
  const element = fill(bytes)
  let next = 0
  const client = async (): Promise<void> => {
    while (next++ < count) {
      const started = performance.now()
      await store.append(element)
      waits.push(performance.now() - started)
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
}

async function phase(bytes: number, work: () => Promise<void>): Promise<Phase> {
  const [cpu, written, started] = [process.cpuUsage(), writtenBytes(), performance.now()]
  await work()
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return {
    mibPerSecond: bytes / MIB / seconds,
    cpuMsPerMib: (user + system) / 1000 / (bytes / MIB),
    amplification: (writtenBytes() - written) / bytes,
  }
}

/** Bytes that this process has caused to be written to disks (proc_pid_io(5)). */
function writtenBytes(): number {
  try {
    return Number(/^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1])
  } catch {
    return Number.NaN
  }
}
