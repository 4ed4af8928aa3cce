import type { BufferStats, QueueStats } from '../buffer/admin.ts'
import { showBytes, showDuration, table } from './table.ts'

type Look = BufferStats & { readonly atMs: number }

/** What one queue holds, and what two looks tell of where it goes. */
interface QueueRates extends Omit<QueueStats, 'oldestMs'> {
  readonly oldestAgeMs: number | undefined
  /** Log records a second; undefined after one look. */
  readonly inPerSecond: number | undefined
  readonly outPerSecond: number | undefined
  /** Milliseconds until nothing waits any more; undefined while it does not shrink. */
  readonly emptyInMs: number | undefined
}

export interface StatsWithRates extends Omit<BufferStats, 'queues' | 'room'> {
  readonly at: string
  readonly queues: readonly QueueRates[]
  /** `fullInMs`: milliseconds until pushes are refused; undefined while it does not grow. */
  readonly room:
    | { readonly used: number; readonly limit: number; readonly fullInMs: number | undefined }
    | undefined
}

/** What two looks tell together; the same look twice tells no rates. */
export function statsWithRates(before: Look, now: Look): StatsWithRates {
  const seconds = (now.atMs - before.atMs) / 1000
  const queues = now.queues.map(({ oldestMs, ...queue }): QueueRates => {
    const earlier = before.queues.find(
      ({ group, stream }) => group === queue.group && stream === queue.stream,
    )
    const rate = (of: 'pushed' | 'left'): number | undefined =>
      earlier === undefined || seconds <= 0 ? undefined : Math.max(0, queue[of] - earlier[of]) / seconds
    const [inPerSecond, outPerSecond] = [rate('pushed'), rate('left')]
    return {
      ...queue,
      oldestAgeMs: oldestMs === undefined ? undefined : Math.max(0, now.atMs - oldestMs),
      inPerSecond,
      outPerSecond,
      emptyInMs: timeLeft(queue.records, (outPerSecond ?? 0) - (inPerSecond ?? 0)),
    }
  })
  const room = now.room && {
    ...now.room,
    fullInMs: timeLeft(now.room.limit - now.room.used, (now.room.used - (before.room?.used ?? 0)) / seconds),
  }
  return { at: new Date(now.atMs).toISOString(), queues, dead: now.dead, room }
}

function timeLeft(amount: number, perSecond: number): number | undefined {
  return perSecond > 0 && Number.isFinite(perSecond)
    ? Math.max(0, Math.round((amount / perSecond) * 1000))
    : undefined
}

/** As tables. */
export function showStats({ queues, dead, room }: StatsWithRates): string {
  const waiting = table(
    ['PIPELINE', 'STREAM', 'RECORDS', 'ELEMENTS', 'SIZE', 'IN FLIGHT', 'OLDEST', 'IN/S', 'OUT/S', 'EMPTY IN'],
    queues.map((queue) => [
      queue.group,
      queue.stream || '-',
      queue.records,
      queue.elements,
      showBytes(queue.bytes),
      queue.inFlight,
      queue.oldestAgeMs === undefined ? '-' : showDuration(queue.oldestAgeMs),
      queue.inPerSecond === undefined ? '-' : Math.round(queue.inPerSecond),
      queue.outPerSecond === undefined ? '-' : Math.round(queue.outPerSecond),
      queue.emptyInMs === undefined ? '-' : showDuration(queue.emptyInMs),
    ]),
  )
  const letters = dead.map(({ stream, elements, records, bytes }) => {
    const of = stream ? ` of ${stream}` : ''
    return `dead letters${of}: ${elements} with ${records} records, ${showBytes(bytes)}\n`
  })
  const full = room?.fullInMs === undefined ? '' : `, full in ${showDuration(room.fullInMs)}`
  const used =
    room === undefined ? '' : `room: ${showBytes(room.used)} of ${showBytes(room.limit)} in use${full}\n`
  return `${waiting}${letters.join('')}${used}`
}
