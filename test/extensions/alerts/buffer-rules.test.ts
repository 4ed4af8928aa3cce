import { describe, expect, it } from 'vitest'
import { Scene, type Values } from './scene.ts'

const BUFFER = '{connector=redis,group=logs/drain}'
const RECORDS = `sluice_buffer_records${BUFFER}`
const ACKED = `sluice_buffer_acked_log_records_total${BUFFER}`
const AGE = `sluice_buffer_oldest_age_seconds${BUFFER}`
const PUSHED = 'sluice_buffer_pushed_log_records_total{connector=redis}'

describe('SluiceBufferBacklog', () => {
  /** 1000 records arrive a second, and so many seconds of them wait. */
  const busy =
    (waiting: number) =>
    (seconds: number): Values => ({
      [PUSHED]: 1000 * seconds,
      [ACKED]: 1000 * seconds,
      [RECORDS]: 1000 * waiting,
    })

  it('is a warning over one minute of traffic and critical over five', async () => {
    const scene = new Scene()
    await scene.pass(60, busy(59))
    await scene.pass(30, busy(61))
    await scene.pass(30, busy(301))
    await scene.pass(60, busy(0))

    expect(scene.story).toEqual([
      '65s firing SluiceBufferBacklog warning',
      '95s severity SluiceBufferBacklog critical',
      '145s resolved SluiceBufferBacklog critical',
    ])
    expect(scene.said[0]).toMatchObject({
      labels: { component: 'connector/redis', group: 'logs/drain' },
      summary: '61000 records wait for logs/drain, as many as arrive in 1m 1s',
    })
  })

  it('is within 15 seconds of its cause also right after the start', async () => {
    const scene = new Scene()
    await scene.pass(30, busy(400))

    expect(scene.story).toEqual(['15s firing SluiceBufferBacklog critical'])
  })

  it('holds no burst against itself that follows a quiet time', async () => {
    const scene = new Scene()
    await scene.pass(300, { [PUSHED]: 0, [RECORDS]: 0 })
    // 20 seconds of a burst wait; by the mean of five minutes they were ten times as many.
    await scene.pass(60, (seconds) => ({ [PUSHED]: 50_000 * (seconds - 295), [RECORDS]: 1_000_000 }))

    expect(scene.said.filter(({ at }) => at >= 310)).toEqual([])
  })

  it('does not come from little traffic, or traffic that has stopped', async () => {
    const scene = new Scene()
    await scene.pass(900, { [PUSHED]: 5000, [RECORDS]: 5000 })

    expect(scene.story).toEqual([])
  })

  it('measures by what leaves where nothing comes in', async () => {
    const scene = new Scene()
    await scene.pass(60, (seconds) => ({ [ACKED]: 1000 * seconds, [RECORDS]: 50_000 }))
    expect(scene.story).toEqual([])

    await scene.pass(30, (seconds) => ({ [ACKED]: 1000 * seconds, [RECORDS]: 70_000 }))
    expect(scene.story).toEqual(['65s firing SluiceBufferBacklog warning'])
  })
})

describe('SluiceBufferOld', () => {
  it('follows the age of the oldest record', async () => {
    const scene = new Scene()
    await scene.pass(400, (seconds) => ({ [AGE]: seconds }))

    expect(scene.story).toEqual([
      '130s firing SluiceBufferOld warning',
      '310s severity SluiceBufferOld critical',
    ])
    expect(scene.said[0].summary).toBe('the oldest record for logs/drain has waited 2m 10s')
  })
})

describe('SluiceDrainStalled', () => {
  it('comes when records wait and none leaves for a minute', async () => {
    const scene = new Scene({ rules: { buffer_backlog: { enabled: false } } })
    await scene.pass(30, (seconds) => ({ [RECORDS]: 500, [ACKED]: seconds, [AGE]: 1 }))
    await scene.pass(90, { [RECORDS]: 500, [ACKED]: 25, [AGE]: 1 })
    await scene.pass(60, (seconds) => ({ [RECORDS]: 500, [ACKED]: seconds, [AGE]: 1 }))

    expect(scene.story).toEqual([
      '90s firing SluiceDrainStalled critical',
      '145s resolved SluiceDrainStalled critical',
    ])
  })

  it.each<[string, (seconds: number) => Values]>([
    ['nothing waits', () => ({ [RECORDS]: 0, [ACKED]: 9, [AGE]: 0 })],
    ['records trickle out', (seconds) => ({ [RECORDS]: 5, [ACKED]: seconds / 5, [AGE]: 1 })],
    ['another drain takes them', (seconds) => ({ [RECORDS]: 90_000 - seconds, [ACKED]: 9, [AGE]: 1 })],
    ['no drain runs here', () => ({ [RECORDS]: 500 })],
  ])('does not come where %s', async (_, values) => {
    const scene = new Scene({ rules: { buffer_backlog: { enabled: false } } })
    await scene.pass(300, values)

    expect(scene.story).toEqual([])
  })
})

describe('SluiceBufferNearlyFull', () => {
  it('is a warning in the first state and critical from the second on', async () => {
    const scene = new Scene()
    const state = 'sluice_buffer_watermark_state{connector=redis}'
    await scene.pass(30, { [state]: 0 })
    await scene.pass(30, { [state]: 1 })
    await scene.pass(30, { [state]: 2 })

    expect(scene.story).toEqual([
      '35s firing SluiceBufferNearlyFull warning',
      '65s severity SluiceBufferNearlyFull critical',
    ])
  })
})

describe('SluiceOverflowActive', () => {
  it('comes instead of refusals while an overflow takes what the buffer does not', async () => {
    const scene = new Scene()
    const overflow = 'sluice_overflow_active{connector=redis}'
    const refused = 'sluice_buffer_refused_log_records_total{connector=redis,reason=unreachable}'
    await scene.pass(30, { [overflow]: 0, [refused]: 0 })
    await scene.pass(30, (seconds) => ({ [overflow]: 1, [refused]: seconds }))
    await scene.pass(60, { [overflow]: 0, [refused]: 30 })

    expect(scene.story.map((line) => line.replace(/^\d+s /, ''))).toEqual([
      'firing SluiceOverflowActive warning',
      'resolved SluiceOverflowActive warning',
    ])
  })
})

describe('SluiceBufferRefuses', () => {
  const refused = (reason: string) =>
    `sluice_buffer_refused_log_records_total{connector=disk,reason=${reason}}`

  it('comes for each reason, also for one never counted before', async () => {
    const scene = new Scene()
    await scene.pass(30, { [refused('full')]: 40 })
    await scene.pass(15, { [refused('full')]: 40, [refused('disk_full')]: 7 })
    await scene.pass(90, { [refused('full')]: 40, [refused('disk_full')]: 7 })

    expect(scene.story).toEqual([
      '35s firing SluiceBufferRefuses critical',
      '85s resolved SluiceBufferRefuses critical',
    ])
    expect(scene.said[0]).toMatchObject({
      labels: { component: 'connector/disk', reason: 'disk_full' },
      summary: '7 records refused in the last 30s (disk_full)',
    })
  })

  it('does not come for senders that went away, or because the service stops', async () => {
    const scene = new Scene()
    await scene.pass(60, (seconds) => ({ [refused('cancelled')]: seconds, [refused('stopping')]: seconds }))

    expect(scene.story).toEqual([])
  })
})

describe('SluiceDiskSpace', () => {
  it('comes as the room gets less, and not from a buffer that has not opened', async () => {
    const scene = new Scene()
    const disk = (gib: number, used: number) => ({
      'sluice_disk_free_bytes{connector=disk}': gib * 2 ** 30,
      'sluice_disk_used_bytes{connector=disk}': used,
    })
    await scene.pass(30, disk(0, 0))
    await scene.pass(30, disk(3, 0))
    await scene.pass(30, disk(1, 0))
    await scene.pass(30, disk(0.25, 5))

    expect(scene.story).toEqual([
      '65s firing SluiceDiskSpace warning',
      '95s severity SluiceDiskSpace critical',
    ])
    expect(scene.said[1].summary).toBe('the disk of the buffer has 256.0 MiB free')
  })
})
