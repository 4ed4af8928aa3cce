import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { PlannedProcess } from '../../src/processes/plan.ts'
import type { Patience } from '../../src/processes/supervised.ts'
import { Supervisor } from '../../src/processes/supervisor.ts'
import { Health } from '../../src/telemetry/health.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'

const WORKER = fileURLToPath(new URL('./fixtures/worker.ts', import.meta.url))
const IMPATIENT: Patience = {
  interval: 50,
  unwellAfter: 10,
  hangsAfter: 40,
  restart: { initial_interval: 20, max_interval: 200 },
  wellAfter: 60_000,
}

interface Line {
  readonly msg: string
  readonly worker?: string
  readonly reason?: string
  readonly restartMs?: number
  readonly pid?: number
}

/** Supervised processes; each place is given what the lives of its processes are like, the last of which goes on. */
function supervise(lives: Record<string, readonly string[]>, patience: Partial<Patience> = {}) {
  const log: Line[] = []
  const metrics = new Metrics()
  const health = new Health()
  const forked = new Map<string, number>()
  const plan = Object.entries(lives).map(([name, pipelines]): PlannedProcess => {
    const [group] = name.split('-')
    return { name, group, pipelines, rank: group === 'drain' ? 1 : 0 }
  })
  const supervisor = new Supervisor({
    plan,
    config: { file: 'config.yaml', text: '' },
    log: pino({}, { write: (line: string) => void log.push(JSON.parse(line) as Line) }),
    metrics,
    patience: { ...IMPATIENT, ...patience },
    fork({ name }) {
      const life = forked.get(name) ?? 0
      forked.set(name, life + 1)
      const child = fork(WORKER, [], {
        env: { ...process.env, LIFE: String(life) },
        serialization: 'advanced',
        execArgv: [],
      })
      onTestFinished(() => void child.kill('SIGKILL'))
      return child
    },
  })
  return {
    supervisor,
    log,
    said: (msg: string) => log.filter((line) => line.msg === msg),
    status: () => {
      health.own = 'ok'
      return supervisor.status(health.status())
    },
    /** How often processes were started again, by the last word of each line. */
    restarts: async () => {
      const all = await metrics.registry.getMetricsAsJSON()
      const values = all.find(({ name }) => name === 'sluice_process_restarts_total')?.values ?? []
      return values.filter(({ value }) => value > 0).map(({ labels, value }) => ({ ...labels, value }))
    },
  }
}

const READY = 'process is ready'
const ENDED = 'process ended; another one is started'

describe('the supervisor', { timeout: 60_000 }, () => {
  it('has started when all processes are ready', async () => {
    const { supervisor, said } = supervise({ 'gateway-1': [], 'gateway-2': [], 'drain-1': [] })

    await supervisor.start()
    expect(new Set(said(READY).map(({ worker }) => worker))).toEqual(
      new Set(['drain-1', 'gateway-1', 'gateway-2']),
    )

    expect(await supervisor.stop(10_000)).toBe(true)
  })

  it('fails with what the process says that cannot start, and starts none again', async () => {
    const { supervisor, said } = supervise({ 'gateway-1': [], 'gateway-2': ['fail'] })

    await expect(supervisor.start()).rejects.toThrow('gateway-2 could not start: the port is taken')

    expect(await supervisor.stop(10_000)).toBe(false)
    expect(said(ENDED)).toEqual([])
  })

  it.each([
    ['exit 0', { code: 0, signal: null, reason: 'exit' }],
    ['exit 7', { code: 7, signal: null, reason: 'exit' }],
    ['die', { code: null, signal: 'SIGKILL', reason: 'signal' }],
    ['block', { code: null, signal: 'SIGKILL', reason: 'hang' }],
  ])('starts a process again that comes to this end: %s', async (life, ending) => {
    const { supervisor, said, restarts } = supervise({ 'gateway-1': [life] })

    await supervisor.start()
    await expect.poll(() => said(READY), { timeout: 10_000 }).toHaveLength(2)

    expect(said(ENDED)).toMatchObject([{ worker: 'gateway-1', ...ending }])
    expect(await restarts()).toEqual([{ process: 'gateway-1', reason: ending.reason, value: 1 }])
    expect(await supervisor.stop(10_000)).toBe(true)
  })

  it('starts a process again that could not start again, each time after a longer wait', async () => {
    const lives = ['exit 1', 'fail', 'fail', 'fail', 'fail', 'fail']
    const { supervisor, said } = supervise({ 'gateway-1': lives })

    await supervisor.start()
    await expect.poll(() => said(READY), { timeout: 20_000 }).toHaveLength(2)

    const waits = said(ENDED).map(({ restartMs = 0 }) => restartMs)
    const longest = [20, 40, 80, 160, 200, 200]
    expect(waits).toHaveLength(longest.length)
    for (const [i, limit] of longest.entries()) {
      expect(waits[i]).toBeGreaterThanOrEqual(limit / 2)
      expect(waits[i]).toBeLessThanOrEqual(limit)
    }
    expect(await supervisor.stop(10_000)).toBe(true)
  })

  it('waits no longer than the first time when the process had been well', async () => {
    const { supervisor, said } = supervise({ 'gateway-1': ['exit 1', 'exit 1', 'exit 1'] }, { wellAfter: 0 })

    await supervisor.start()
    await expect.poll(() => said(READY), { timeout: 20_000 }).toHaveLength(4)

    expect(Math.max(...said(ENDED).map(({ restartMs = 0 }) => restartMs))).toBeLessThanOrEqual(20)
    await supervisor.stop(10_000)
  })

  it('is degraded while a process is down and another of its group is not', async () => {
    const { supervisor, status } = supervise(
      { 'gateway-1': ['exit 7'], 'gateway-2': [] },
      { restart: { initial_interval: 60_000, max_interval: 60_000 } },
    )

    await supervisor.start()
    await expect.poll(() => status().state, { timeout: 10_000 }).toBe('degraded')

    expect(status().processes).toMatchObject({
      'gateway-1': { state: 'degraded', detail: 'it ended with code 7 and starts again' },
      'gateway-2': { state: 'ok' },
    })
    await expect
      .poll(() => status().processes?.['gateway-2'].components)
      .toEqual({ 'receiver/otlp': { state: 'ok' } })
    expect(await supervisor.stop(10_000)).toBe(true)
  })

  it('has failed while no process of a group runs', async () => {
    const { supervisor, status } = supervise(
      { 'gateway-1': ['exit 7'], 'drain-1': [] },
      { restart: { initial_interval: 60_000, max_interval: 60_000 } },
    )

    await supervisor.start()
    await expect.poll(() => status().state, { timeout: 10_000 }).toBe('failed')

    expect(status().processes).toMatchObject({ 'gateway-1': { state: 'failed' }, 'drain-1': { state: 'ok' } })
    await supervisor.stop(10_000)
  })

  it('is not well with a process that gives no answer, long before it is killed', async () => {
    const { supervisor, status } = supervise({ 'gateway-1': ['block'] }, { hangsAfter: 10_000 })

    await supervisor.start()
    await expect.poll(() => status().state, { timeout: 10_000 }).toBe('failed')

    expect(status().processes?.['gateway-1'].detail).toBe('gives no answer')
    await supervisor.stop(0)
  })

  it('is starting until the processes are', () => {
    const { status } = supervise({ 'gateway-1': [] })

    expect(status().state).toBe('starting')
  })

  it('stops the processes that feed others before those', async () => {
    const { supervisor, said } = supervise({ 'drain-1': [], 'gateway-1': [], 'gateway-2': [] })

    await supervisor.start()
    expect(await supervisor.stop(10_000)).toBe(true)

    const stopped = said('process has stopped').map(({ worker }) => worker)
    expect(new Set(stopped.slice(0, 2))).toEqual(new Set(['gateway-1', 'gateway-2']))
    expect(stopped.slice(2)).toEqual(['drain-1'])
  })

  it('takes no process for failed that has ended because it was told to', async () => {
    const { supervisor, status } = supervise({ 'gateway-1': [], 'drain-1': ['stubborn'] })

    await supervisor.start()
    const stopped = supervisor.stop(1000)
    await expect
      .poll(() => status().processes?.['gateway-1'])
      .toMatchObject({ state: 'stopping', pid: undefined })
    expect(status().state).toBe('stopping')

    expect(await stopped).toBe(false)
  })

  it('kills what does not stop by the deadline, after it has told the others to stop', async () => {
    const { supervisor, said } = supervise({ 'gateway-1': ['stubborn'], 'drain-1': [] })

    await supervisor.start()
    expect(await supervisor.stop(300)).toBe(false)

    expect(said('process has stopped')).toMatchObject([{ worker: 'drain-1' }])
    expect(said('process did not stop by the deadline; it is killed')).toMatchObject([
      { worker: 'gateway-1' },
    ])
  })

  it('starts nothing again once it is told to stop', async () => {
    const { supervisor, said } = supervise(
      { 'gateway-1': ['exit 1'] },
      { restart: { initial_interval: 60_000, max_interval: 60_000 } },
    )

    await supervisor.start()
    await expect.poll(() => said(ENDED), { timeout: 10_000 }).toHaveLength(1)
    expect(await supervisor.stop(10_000)).toBe(true)

    expect(said(READY)).toHaveLength(1)
  })
})
