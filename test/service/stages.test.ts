import { describe, expect, it } from 'vitest'
import { PermanentError, type Push, RetryableError } from '../../src/component.ts'
import type { LogBatch } from '../../src/logs/batch.ts'
import { fanOut, measuredStage, pushThrough } from '../../src/service/stages.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { never } from '../support/component.ts'
import { batchOf, documentsOf, text } from '../support/otlp.ts'

const batch = (): LogBatch => batchOf([{ body: text('a') }, { body: text('b') }])

function sink(): Push & { readonly got: LogBatch[] } {
  const got: LogBatch[] = []
  return Object.assign(
    async (given: LogBatch) => {
      got.push(given)
    },
    { got },
  )
}

describe('a pipeline', () => {
  it('runs its processors in order before its sinks', async () => {
    const order: string[] = []
    const stage = (name: string) => () => {
      order.push(name)
    }
    const push = pushThrough([stage('one'), stage('two')], [async () => void order.push('sink')])

    await push(batch(), never)

    expect(order).toEqual(['one', 'two', 'sink'])
  })

  it('waits for a processor that takes its time', async () => {
    const end = sink()
    const slow = async (given: LogBatch): Promise<void> => {
      await Promise.resolve()
      given.forEach((record) => record.drop('slow'))
    }
    await pushThrough([slow], [end])(batch(), never)
    expect(end.got).toEqual([])
  })

  it('sends nothing on when every record was dropped', async () => {
    const end = sink()
    await pushThrough([(given) => given.forEach((record) => record.drop('test'))], [end])(batch(), never)
    expect(end.got).toEqual([])
  })

  it('rejects when a sink does, so that the sender keeps its copy', async () => {
    const full: Push = async () => {
      throw new RetryableError('full')
    }
    await expect(pushThrough([], [full])(batch(), never)).rejects.toThrow('full')
  })
})

describe('several sinks', () => {
  it('each get a batch of their own', async () => {
    const [one, two] = [sink(), sink()]

    await fanOut([one, two])(batch(), never)
    one.got[0].forEach((record) => record.drop('test'))

    expect(documentsOf(two.got[0])).toHaveLength(2)
  })

  it('have a batch sent again when one may still take it, whatever another refuses', async () => {
    const rejecting =
      (error: Error): Push =>
      () =>
        Promise.reject(error)
    const targets = [rejecting(new PermanentError('never')), rejecting(new RetryableError('later'))]
    await expect(fanOut(targets)(batch(), never)).rejects.toThrow('later')
  })

  it('are all waited for, even when one of them rejects', async () => {
    let late = false
    const failing: Push = async () => {
      throw new RetryableError('down')
    }
    const slow: Push = async () => {
      await Promise.resolve()
      late = true
    }
    await expect(fanOut([failing, slow])(batch(), never)).rejects.toThrow('down')
    expect(late).toBe(true)
  })
})

describe('a measured processor', () => {
  it('counts records in, out, and dropped by reason', async () => {
    const metrics = new Metrics()
    const processor = {
      process: (given: LogBatch) => {
        let index = 0
        given.forEach((record) => index++ === 0 && record.drop('first'))
      },
    }
    const stage = measuredStage('test', 'logs', processor, metrics)

    await stage(batch(), never)

    const text = await metrics.registry.metrics()
    const labels = '{processor="test",pipeline="logs",otel_signal="logs"}'
    expect(text).toContain(`otelcol_processor_incoming_items${labels} 2`)
    expect(text).toContain(`otelcol_processor_outgoing_items${labels} 1`)
    expect(text).toContain(
      'sluice_dropped_log_records_total{processor="test",pipeline="logs",reason="first"} 1',
    )
  })
})
