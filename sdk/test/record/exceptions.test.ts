import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { testLogger } from '../support/test-sink.ts'

describe('an error', () => {
  it('becomes exception.* and gives the record its message', () => {
    const { log, sink } = testLogger()
    const error = new RangeError('out of range')

    log.error(error)

    expect(sink.last.body).toBe('out of range')
    expect(sink.last.attributes).toEqual({
      'exception.type': 'RangeError',
      'exception.message': 'out of range',
      'exception.stacktrace': error.stack,
    })
  })

  it('may come with a message, in the fields, or after the message', () => {
    const { log, sink } = testLogger()
    const error = new Error('inner')

    log.error(error, 'payment of %s refused', 'o-7')
    log.error({ err: error, orderId: 7 }, 'refused')
    log.error({ error })
    log.error({ err: error })
    log.error('refused', error)

    expect(sink.arrived.map(({ body }) => body)).toEqual([
      'payment of o-7 refused',
      'refused',
      null,
      'inner',
      'refused',
    ])
    expect(sink.arrived.map(({ attributes }) => attributes['exception.message'])).toEqual(
      Array(5).fill('inner'),
    )
    expect(sink.arrived[1].attributes).toMatchObject({ orderId: 7n })
    expect(sink.arrived[1].attributes).not.toHaveProperty('err')
  })

  it('is of the class that it was made from', () => {
    const { log, sink } = testLogger()
    class PaymentError extends Error {}

    log.error(new PaymentError('x'))
    log.error(Object.assign(new Error('x'), { name: 'AbortError' }))
    log.error(runInNewContext('new TypeError("x")') as Error)

    expect(sink.arrived.map(({ attributes }) => attributes['exception.type'])).toEqual([
      'PaymentError',
      'AbortError',
      'TypeError',
    ])
  })

  it('tells the whole chain of its causes, each once', () => {
    const { log, sink } = testLogger()
    const root = new Error('root')
    const middle = new TypeError('middle', { cause: root })
    const top = new Error('top', { cause: middle })
    root.cause = top

    log.error(top)

    expect(sink.last.attributes['exception.causes']).toEqual([
      { type: 'TypeError', message: 'middle' },
      { type: 'Error', message: 'root' },
    ])
    expect(sink.last.attributes['exception.stacktrace']).toBe(
      `${top.stack}\nCaused by: ${middle.stack}\nCaused by: ${root.stack}`,
    )
  })

  it('that has several parts tells each, up to a number', () => {
    const { log, sink } = testLogger()
    const parts = Array.from({ length: 1000 }, (_, i) => new Error(`part ${i}`))

    log.error(new AggregateError([parts[0], 'a text'], 'two'))
    log.error(new AggregateError(parts, 'many'))

    expect(sink.arrived[0].attributes['exception.causes']).toEqual([
      { type: 'Error', message: 'part 0' },
      { type: 'string', message: 'a text' },
    ])
    expect(sink.arrived[0].attributes['exception.stacktrace']).toContain(
      `\nError 1: ${parts[0].stack}\nError 2: a text`,
    )
    expect(sink.arrived[1].attributes['exception.causes']).toHaveLength(16)
  })

  it('keeps the properties that it was given', () => {
    const { log, sink } = testLogger({ redact: ['err.config.token'] })

    log.error(Object.assign(new Error('x'), { code: 'ECONNREFUSED', config: { token: 'secret', url: '/' } }))

    expect(sink.last.attributes['exception.properties']).toEqual({
      code: 'ECONNREFUSED',
      config: { token: '[Redacted]', url: '/' },
    })
  })

  it('does not take the place of attributes that the caller gave', () => {
    const { log, sink } = testLogger()

    log.error({ err: new Error('x'), 'exception.type': 'mine' })

    expect(sink.last.attributes).toMatchObject({ 'exception.type': 'mine', 'exception.message': 'x' })
  })

  it('may lie about everything', () => {
    const { log, sink } = testLogger()
    const error = new Error('x')
    for (const name of ['name', 'message', 'stack', 'cause', 'errors', 'constructor', 'code']) {
      Object.defineProperty(error, name, {
        enumerable: true,
        get: () => {
          throw new Error()
        },
      })
    }

    log.error(error, 'still here')
    log.error(error)

    expect(sink.arrived.map(({ body }) => body)).toEqual(['still here', '[Throws]'])
  })
})
