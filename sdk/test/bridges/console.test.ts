import { Console } from 'node:console'
import { Writable } from 'node:stream'
import { DiagConsoleLogger, diag } from '@opentelemetry/api'
import { afterEach, describe, expect, it } from 'vitest'
import { captureConsole } from '../../src/bridges/console.ts'
import { createDiagnostics } from '../../src/diagnostics.ts'
import type { LoggerOptions } from '../../src/options/options.ts'
import { type TestSink, testLogger } from '../support/test-sink.ts'

interface Captured {
  readonly console: Console
  readonly sink: TestSink
  readonly printed: string[]
  readonly restore: () => void
}

function captured(print?: boolean, options: LoggerOptions = {}): Captured {
  const { log, sink } = testLogger({ level: 'trace', ...options })
  const printed: string[] = []
  const stdout = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      printed.push(String(chunk))
      done()
    },
  })
  const console = new Console({ stdout })
  const restore = captureConsole(log, { console, ...(print === undefined ? {} : { print }) })
  return { console, sink, printed, restore }
}

const told = (sink: TestSink) => sink.arrived.map(({ severity, body }) => [severity, body])

describe('a captured console', () => {
  it('is logged with the level of each method, and still prints', () => {
    const { console, sink, printed } = captured()

    console.debug('a')
    console.log('b')
    console.info('c')
    console.warn('d')
    console.error('e')

    expect(told(sink)).toEqual([
      [5, 'a'],
      [9, 'b'],
      [9, 'c'],
      [13, 'd'],
      [17, 'e'],
    ])
    expect(printed).toEqual(['a\n', 'b\n', 'c\n', 'd\n', 'e\n'])
  })

  it('is logged once where one method prints through another', () => {
    const { console, sink, printed } = captured()

    console.trace('where am I')
    const [one, two] = [1, 2]
    console.assert(one === two, 'one is %d', one)
    console.assert(one < two, 'not logged')
    console.assert(false)
    console.assert(false, ...([{ orderId: 7 }] as never[]))

    expect(told(sink)).toEqual([
      [1, 'where am I'],
      [17, 'Assertion failed: one is 1'],
      [17, 'Assertion failed'],
      [17, 'Assertion failed'],
    ])
    expect(sink.arrived[0].attributes['code.stacktrace']).toContain('console.test.ts')
    expect(sink.last.attributes).toEqual({ orderId: 7n })
    expect(printed.length).toBe(4)
  })

  it.each([undefined, false])('is logged where it counts, measures and groups, printing %s', (print) => {
    const { console, sink, printed } = captured(print)

    console.count('orders')
    console.count('orders')
    console.time('job')
    console.timeLog('job', 'half')
    console.timeEnd('job')
    console.group('a group')
    console.groupEnd()
    console.table([{ a: 1 }])
    console.dirxml('x')

    expect(told(sink)).toEqual([
      [9, 'orders: 1'],
      [9, 'orders: 2'],
      [9, expect.stringMatching(/^job: .*s half$/)],
      [9, expect.stringMatching(/^job: .*s$/)],
      [9, 'a group'],
      [9, expect.stringContaining('│ a │')],
      [9, 'x'],
    ])
    expect(printed.length).toBe(print === false ? 0 : 7)
  })

  it('fills in placeholders as util.format does', () => {
    const { console, sink } = captured(false)

    console.log('%s of %i at %d%%, %j %o %c%s', 'a', 1.5, 2, { b: 1 }, [2], 'css', 3, 'more', [4])
    console.log('100%', 'x')
    console.log('%s')
    console.log('%%s', 'x')
    console.log(Symbol('s'), null, undefined, 7n)

    expect(told(sink).map(([, body]) => body)).toEqual([
      'a of 1 at 2%, {"b":1} [ 2, [length]: 1 ] 3 more [ 4 ]',
      '100% x',
      '%s',
      '%s x',
      'Symbol(s) null undefined 7n',
    ])
  })

  it('has objects as fields, which are redacted, and an error as exception.*', () => {
    const { console, sink } = captured(false, { redact: ['password'] })
    const error = new TypeError('no price')

    console.error('order %s refused', 7, { orderId: 7, password: 'x' }, error)
    console.error(error)
    console.dir({ a: 1 }, { depth: 0 })

    const [refused, alone, dir] = sink.arrived
    expect(refused.body).toBe('order 7 refused')
    expect(refused.attributes).toEqual({
      orderId: 7n,
      password: '[Redacted]',
      'exception.type': 'TypeError',
      'exception.message': 'no price',
      'exception.stacktrace': error.stack,
    })
    expect([alone.body, alone.attributes['exception.type']]).toEqual(['no price', 'TypeError'])
    expect([dir.body, dir.attributes]).toEqual([null, { a: 1n }])
  })

  it('survives what cannot be read', () => {
    const { console, sink } = captured(false)
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()

    console.log('a', proxy)
    console.log({
      get a() {
        throw new Error()
      },
    })

    expect(sink.arrived.map(({ body, attributes }) => [body, attributes])).toEqual([
      ['a <Revoked Proxy>', {}],
      [null, { a: '[Throws]' }],
    ])
  })

  it('logs what is printed while a record is read, without an end to it', () => {
    const { console, sink } = captured(false)
    const loud = {
      get a() {
        console.log('from within')
        return 1
      },
    }

    console.log({ loud })

    expect(told(sink).map(([, body]) => body)).toEqual(['from within', null])
  })

  it('is itself again when it is restored', () => {
    const before = new Console({ stdout: process.stdout }).log.name
    const { console, sink, printed, restore } = captured()
    const kept = console.log.bind(console)

    restore()
    restore()
    console.log('a')
    kept('b')

    expect(console.log.name).toBe(before)
    expect(sink.arrived).toEqual([])
    expect(printed).toEqual(['a\n', 'b\n'])
  })

  it('leaves alone who captured it since, and logs once whoever did', () => {
    const { console, sink, printed, restore } = captured()
    const second = testLogger()
    const restoreSecond = captureConsole(second.log, { console })

    console.log('a')
    restore()
    console.log('b')
    restoreSecond()
    console.log('c')

    expect([told(second.sink), told(sink)]).toEqual([
      [
        [9, 'a'],
        [9, 'b'],
      ],
      [],
    ])
    expect(printed).toEqual(['a\n', 'b\n', 'c\n'])
  })
})

describe('our own diagnostics', () => {
  afterEach(() => diag.disable())

  it('are not captured, wherever they are written', () => {
    const { sink, restore } = (() => {
      const { log, sink } = testLogger()
      return { sink, restore: captureConsole(log, { print: false }) }
    })()
    diag.setLogger(new DiagConsoleLogger())

    createDiagnostics().warn('kind', 'through diag')
    createDiagnostics((line) => console.error(line)).warn('kind', 'through a function')
    console.error('of the application')
    restore()

    expect(told(sink)).toEqual([[17, 'of the application']])
  })
})
