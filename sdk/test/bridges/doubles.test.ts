import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import winston from 'winston'
import { bunyanStream } from '../../src/bridges/bunyan.ts'
import { captureConsole } from '../../src/bridges/console.ts'
import { pinoDestination } from '../../src/bridges/pino.ts'
import { WinstonTransport } from '../../src/bridges/winston.ts'
import { testLogger } from '../support/test-sink.ts'

describe('a captured console beside another bridge', () => {
  const undo: (() => void)[] = []

  afterEach(() => {
    for (const restore of undo.splice(0).reverse()) restore()
  })

  /** Replaces the global console, so that the tests print nothing, and captures it. */
  function setup() {
    const { log, sink } = testLogger({ level: 'trace' })
    const { log: original } = console
    const printed: unknown[] = []
    console.log = (...args: unknown[]) => void printed.push(...args)
    undo.push(() => (console.log = original), captureConsole(log))
    return { log, sink, printed, bodies: () => sink.arrived.map(({ body }) => body) }
  }

  it.each(['before', 'after'])('is one record of pino that is printed %s it, with its fields', (order) => {
    const { log, bodies, printed } = setup()
    const streams = [
      { level: 'info' as const, stream: pinoDestination(log) },
      { level: 'info' as const, stream: { write: (line: string) => console.log(line.trimEnd()) } },
    ]
    const logger = pino({}, pino.multistream(order === 'after' ? streams : streams.reverse()))
    const plain = pino(pinoDestination(log))

    logger.info('a')
    plain.info('b')
    console.log('of the application')
    logger.info('c')

    expect(bodies()).toEqual(['a', 'b', 'of the application', 'c'])
    expect(printed.length).toBe(3)
  })

  it.each(['before', 'after'])('is one record of winston that is printed %s it', (order) => {
    const { log, bodies, printed } = setup()
    const transports = [new WinstonTransport(log), new winston.transports.Console({ forceConsole: true })]
    const logger = winston.createLogger({ transports: order === 'after' ? transports : transports.reverse() })

    logger.info('a', { orderId: 7 })
    logger.info('b')

    expect(bodies()).toEqual(['a', 'b'])
    expect(printed.length).toBe(2)
  })

  it('is one record of bunyan that is printed', () => {
    const { log, bodies } = setup()
    const record = {
      name: 'shop',
      pid: process.pid,
      hostname: 'h',
      level: 30,
      msg: 'a',
      time: new Date(),
      v: 0,
    }

    bunyanStream(log).stream.write(record)
    console.log(JSON.stringify(record))

    expect(bodies()).toEqual(['a'])
  })

  it('is one record where the console leads to a bridge', async () => {
    const { log, sink } = testLogger()
    const logger = pino(pinoDestination(log))
    const { log: original } = console
    console.log = (message: string) => logger.info(message)
    undo.push(() => (console.log = original), captureConsole(log))

    console.log('a')
    await Promise.resolve()

    expect(sink.arrived.map(({ body }) => body)).toEqual(['a'])
  })

  it('is two records where the application said it twice, or later', async () => {
    const { log, bodies } = setup()
    const logger = winston.createLogger({
      format: winston.format.printf(({ message }) => String(message)),
      transports: [new WinstonTransport(log)],
    })

    console.log('twice')
    console.log('twice')
    logger.info('later')
    await Promise.resolve()
    console.log('later')
    await Promise.resolve()

    expect(bodies()).toEqual(['twice', 'twice', 'later', 'later'])
  })

  it('is logged before the process ends', () => {
    const { log, bodies } = setup()
    pinoDestination(log)

    console.log('last words')
    // The pipe's own listener comes later.
    const [first] = process.listeners('exit') as (() => void)[]
    first()

    expect(bodies()).toEqual(['last words'])
  })
})
