import { describe, expect, it } from 'vitest'
import { shed } from '../../../connectors/redis/server/shedding.ts'
import { LogBatch } from '../../../src/logs/batch.ts'
import { encodeJsonRequest } from '../../../src/logs/json/encode.ts'

const severities = [0, 1, 5, 8, 9, 12, 13, 17, 24]

const mixed = (): LogBatch => {
  const logRecords = severities.map((severityNumber) => ({ severityNumber }))
  return LogBatch.decode(
    encodeJsonRequest(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] })),
  )
}

const severitiesOf = (batch: LogBatch): number[] => {
  const found: number[] = []
  batch.forEach(({ severityNumber }) => found.push(severityNumber))
  return found
}

describe('shedding', () => {
  it.each([
    [0.74, { debug: 0.75, info: 0.8 }, severities],
    [0.75, { debug: 0.75, info: 0.8 }, [0, 9, 12, 13, 17, 24]],
    [0.8, { debug: 0.75, info: 0.8 }, [0, 13, 17, 24]],
    [0.8, { info: 0.8 }, [0, 13, 17, 24]],
    [0.9, { debug: 0.75 }, [0, 9, 12, 13, 17, 24]],
    [1, {}, severities],
  ])('at %s of a limit with %j leaves the severities %j', (share, marks, left) => {
    expect(severitiesOf(shed(mixed(), share, marks))).toEqual(left)
  })

  it('counts by reason, and leaves the batch of others as it is', () => {
    const batch = mixed()

    const left = shed(batch, 0.8, { debug: 0.75, info: 0.8 })

    expect(Object.fromEntries(left.takeDrops())).toEqual({ shed_debug: 3, shed_info: 2 })
    expect(severitiesOf(batch)).toEqual(severities)
    expect(batch.takeDrops().size).toBe(0)
  })

  it('gives the batch itself where nothing gives way', () => {
    const batch = shed(mixed(), 0.8, { info: 0.8 })

    expect(shed(batch, 0.8, { info: 0.8 })).toBe(batch)
  })
})
