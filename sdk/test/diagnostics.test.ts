import { diag } from '@opentelemetry/api'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createDiagnostics } from '../src/diagnostics.ts'

describe('diagnostics', () => {
  afterEach(() => {
    vi.useRealTimers()
    vi.restoreAllMocks()
    diag.disable()
  })

  it('write one line of a kind a minute, and say how many there were', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const lines: string[] = []
    const diagnostics = createDiagnostics((line) => lines.push(line))

    for (let i = 0; i < 5; i++) diagnostics.warn('drop', 'dropped')
    diagnostics.warn('other', 'another')
    vi.advanceTimersByTime(60_000)
    diagnostics.warn('drop', 'dropped')
    vi.advanceTimersByTime(60_000)
    diagnostics.warn('drop', 'dropped')

    expect(lines).toEqual(['dropped', 'another', 'dropped (and 4 more of the kind before)', 'dropped'])
  })

  it('go to the diag logger where there is one, otherwise to standard error', () => {
    const told: unknown[] = []
    const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    createDiagnostics().warn('a', 'to standard error')
    const say = (...args: unknown[]): void => void told.push(args)

    diag.setLogger(
      { error: say, warn: say, info: say, debug: say, verbose: say },
      { suppressOverrideMessage: true },
    )
    createDiagnostics().warn('a', 'to diag')

    expect(written.mock.calls).toEqual([['@sluice/logs: to standard error\n']])
    expect(told).toEqual([['@sluice/logs: to diag']])
  })

  it('never throw', () => {
    const diagnostics = createDiagnostics(() => {
      throw new Error()
    })

    expect(() => diagnostics.warn('a', 'b')).not.toThrow()
  })
})
