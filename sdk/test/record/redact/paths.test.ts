import { describe, expect, it } from 'vitest'
import type { RedactOptions } from '../../../src/options/options.ts'
import { testLogger } from '../../support/test-sink.ts'

const R = '[Redacted]'

function redacted(redact: readonly string[] | RedactOptions, fields: object): unknown {
  const { log, sink } = testLogger({ redact })
  log.info(fields)
  return sink.last.attributes
}

describe('redaction by path', () => {
  it.each<[string, object, object]>([
    ['password', { password: 'x', user: { password: 'y' } }, { password: R, user: { password: 'y' } }],
    [
      '*.card',
      { card: 'a', user: { card: 'b', of: { card: 'c' } } },
      { card: 'a', user: { card: R, of: { card: 'c' } } },
    ],
    [
      'req.headers.authorization',
      { req: { headers: { authorization: 'x', host: 'h' } } },
      { req: { headers: { authorization: R, host: 'h' } } },
    ],
    ['items[*].token', { items: [{ token: 'a', id: 'b' }, 'c'] }, { items: [{ token: R, id: 'b' }, 'c'] }],
    ['items[1]', { items: ['a', 'b', 'c'] }, { items: ['a', R, 'c'] }],
    [
      'req.headers["x-token"]',
      { req: { headers: { 'x-token': 'x' } } },
      { req: { headers: { 'x-token': R } } },
    ],
    ['["a.b"].c', { 'a.b': { c: 'x' } }, { 'a.b': { c: R } }],
    ['**.secret', { secret: 'a', b: { c: [{ secret: 'd' }] } }, { secret: R, b: { c: [{ secret: R }] } }],
    ['a.**.z', { a: { z: '1', b: { z: '2' } }, z: '3' }, { a: { z: R, b: { z: R } }, z: '3' }],
    ['user', { user: { name: 'x' } }, { user: R }],
    ['a.*', { a: { b: '1', c: '2' }, d: '3' }, { a: { b: R, c: R }, d: '3' }],
    [
      'http.request.header.authorization',
      { 'http.request.header.authorization': 'x' },
      { 'http.request.header.authorization': R },
    ],
    ['a.b', new Map([['a', new Map([['b', 'x']])]]), { a: { b: R } }],
  ])('%s', (path, fields, result) => {
    expect(redacted([path], fields)).toEqual(result)
  })

  it('takes several paths that share their beginning', () => {
    const fields = { a: { b: '1', c: '2', d: '3' }, e: { c: '4' } }

    expect(redacted(['a.b', '*.c', 'a.*.x'], fields)).toEqual({ a: { b: R, c: R, d: '3' }, e: { c: R } })
  })

  it('puts what the censor makes in place, and is told the path', () => {
    const paths: (readonly string[])[] = []
    const censor = (value: unknown, path: readonly string[]): string => {
      paths.push(path)
      return `${String(value).length} letters`
    }

    expect(redacted({ paths: ['a.list[*].b'], censor }, { a: { list: [{ b: 'xyz' }] } })).toEqual({
      a: { list: [{ b: '3 letters' }] },
    })
    expect(paths).toEqual([['a', 'list', '0', 'b']])
  })

  it('redacts all the same when the censor throws', () => {
    const censor = (): never => {
      throw new Error()
    }

    expect(redacted({ paths: ['a'], censor }, { a: 'x' })).toEqual({ a: R })
  })

  it('leaves out what a path names with "remove"', () => {
    expect(redacted({ paths: ['a', 'b.c'], remove: true }, { a: 1, b: { c: 2, d: 'x' } })).toEqual({
      b: { d: 'x' },
    })
  })

  it('holds for bindings, messages, bodies, errors and later fields of a call', () => {
    const { log, sink } = testLogger({ redact: ['password', 'err'] })
    const user = { password: 'secret', name: 'x' }

    log.child(user).info('bound')
    log.info('%o and %j', user, user)
    log.info('a message', user)
    log.info(null, user as never)
    log.error({ err: new Error('secret') }, 'failed')

    expect(sink.arrived.map(({ body }) => body)).toEqual([
      'bound',
      '{"password":"[Redacted]","name":"x"} and {"password":"[Redacted]","name":"x"}',
      'a message',
      { password: R, name: 'x' },
      'failed',
    ])
    expect(sink.arrived.map(({ attributes }) => attributes)).toEqual([
      { password: R, name: 'x' },
      {},
      { password: R, name: 'x' },
      {},
      { err: R },
    ])
  })

  it('reads a value that is redacted never', () => {
    const { log, sink } = testLogger({ redact: ['a.b'] })
    const read: string[] = []
    const hostile = {
      get deep() {
        read.push('deep')
        return 1
      },
    }

    log.info({ a: { b: hostile } })

    expect(sink.last.attributes).toEqual({ a: { b: R } })
    expect(read).toEqual([])
  })

  it.each(['', '.', 'a..b', 'a[', 'a]', 'a.**', '**', 'a["b]', 'a b*'])(
    'refuses %j with a line, and goes on',
    (path) => {
      const { log, sink, lines } = testLogger({ redact: [path, 'password'] })

      log.info({ password: 'x' })

      expect(lines).toEqual([`option redact has a path that is none (${path}): leaving it out`])
      expect(sink.last.attributes).toEqual({ password: R })
    },
  )
})
