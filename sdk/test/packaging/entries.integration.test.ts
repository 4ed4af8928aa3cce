import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../../test/servers/at-exit.ts'
import { startHttpCollector } from '../pipe/kit/collector.ts'
import { deliveredIn } from '../support/delivered.ts'
import { installed, RUNTIMES, type Runtime } from './runtimes.ts'

const SDK = fileURLToPath(new URL('../..', import.meta.url))
const NAMES = {
  otel: ['SluiceLogRecordProcessor', 'loggerProvider'],
  pino: ['default', 'pinoDestination', 'traceMixin'],
  winston: ['WinstonTransport'],
  console: ['captureConsole'],
  nest: ['NestLogger'],
  bunyan: ['bunyanStream'],
  fastify: ['default', 'fastifyLogger'],
  express: ['expressErrors', 'expressLogs'],
}
const exec = promisify(execFile)

/** Projects with the package as it would be published: one has nothing else, one the libraries that it bridges. */
let empty: string
let full: string

beforeAll(async () => {
  const folder = (await temporaryFolder('sdk-entries')).path
  const { stdout } = await exec('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: SDK })
  const tarball = join(folder, stdout.trim().split('\n').at(-1) ?? '')
  const project = async (name: string, ...packages: string[]): Promise<string> => {
    const path = join(folder, name)
    await mkdir(path)
    await writeFile(join(path, 'package.json'), '{ "name": "shop", "private": true }')
    const quiet = ['--silent', '--no-audit', '--no-fund', '--ignore-scripts']
    await exec('npm', ['install', ...quiet, tarball, ...packages], { cwd: path })
    return path
  }
  empty = await project('empty')
  full = await project(
    'full',
    '@nestjs/common@10.4.22',
    '@types/bunyan@1.8.11',
    '@types/express@5.0.6',
    '@types/node@24.19.2',
    'express@5.3.0',
    'fastify@5.12.8',
    'pino@9.14.0',
    'reflect-metadata@0.2.2',
    'rxjs@7.8.2',
    'winston@3.19.0',
  )
}, 300_000)

describe('the entries of the package', () => {
  it.each(RUNTIMES.map((runtime) => [runtime]))(
    'are imported by %s without the libraries',
    async (runtime) => {
      const { command, args } = await installed(runtime)
      const program = `
const names = {}
for (const entry of ${JSON.stringify(Object.keys(NAMES))})
  names[entry] = Object.keys(await import('@sluice/logs/' + entry)).sort()
console.log(JSON.stringify(names))
`
      await writeFile(join(empty, 'entries.mjs'), program)

      const { stdout } = await exec(command, [...args, 'entries.mjs'], { cwd: empty, timeout: 30_000 })

      expect(JSON.parse(stdout)).toEqual(NAMES)
    },
  )

  it.each<[Runtime, string]>([
    ['node 18', 'shop.mjs'],
    ['node 18', 'shop.cjs'],
    ['node', 'shop.cjs'],
  ])('have a worker for pino that is found by its name: %s, %s', async (runtime, file) => {
    await using collector = await startHttpCollector()
    const { command, args } = await installed(runtime)
    const head = file.endsWith('mjs') ? "import pino from 'pino'" : "const pino = require('pino')"
    await writeFile(
      join(full, file),
      `${head}
const log = pino({
  transport: { target: '@sluice/logs/pino', options: { service: 'shop', endpoint: process.env.COLLECTOR } },
})
log.info({ orderId: 7 }, 'placed')
`,
    )

    const env = { ...process.env, COLLECTOR: `http://127.0.0.1:${collector.port}` }
    await exec(command, [...args, file], { cwd: full, env, timeout: 30_000 })

    expect(deliveredIn(collector.requests).map(({ body }) => body)).toEqual(['placed'])
  })

  it('have types that fit the libraries', async () => {
    await writeFile(
      join(full, 'shop.mts'),
      `import { createLogger } from '@sluice/logs'
import { bunyanStream } from '@sluice/logs/bunyan'
import { captureConsole } from '@sluice/logs/console'
import { expressErrors, expressLogs } from '@sluice/logs/express'
import fastifyLogs, { fastifyLogger } from '@sluice/logs/fastify'
import { NestLogger } from '@sluice/logs/nest'
import { loggerProvider } from '@sluice/logs/otel'
import { pinoDestination, traceMixin } from '@sluice/logs/pino'
import { WinstonTransport } from '@sluice/logs/winston'
import type { LoggerService } from '@nestjs/common'
import { logs } from '@opentelemetry/api-logs'
import bunyan from 'bunyan'
import express from 'express'
import { fastify } from 'fastify'
import { pino } from 'pino'
import winston from 'winston'

const log = createLogger({ service: 'shop' })
const app = fastify({ loggerInstance: fastifyLogger(log) })
await app.register(fastifyLogs, {
  logger: log,
  attributes: (request) => ({ tenant: request.headers['x-tenant'], route: request.routeOptions.url }),
})
app.get('/', async (request) => request.log.info({ a: 1 }, 'placed'))
express().use(expressLogs({ logger: log, ignore: ['/health'] }), expressErrors())
pino({ mixin: traceMixin() }, pinoDestination(log)).info('placed')
winston.createLogger({ transports: [new WinstonTransport(log, { format: winston.format.splat() })] }).info('placed')
bunyan.createLogger({ name: 'shop', streams: [bunyanStream(log, { level: 'debug' })] }).info('placed')
export const nest: LoggerService = new NestLogger(log)
logs.setGlobalLoggerProvider(loggerProvider(log))
captureConsole(log)()
`,
    )
    const tsc = join(SDK, 'node_modules/typescript/bin/tsc')
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--skipLibCheck']
    const { command } = await installed('node')

    await exec(command, [tsc, ...options, 'shop.mts'], { cwd: full }).catch(
      ({ stdout }: { stdout: string }) => expect.fail(stdout),
    )
  })

  it('are all that the package has', async () => {
    const { exports } = JSON.parse(await readFile(join(SDK, 'package.json'), 'utf8')) as { exports: object }

    expect(Object.keys(exports)).toEqual([
      '.',
      ...Object.keys(NAMES).map((entry) => `./${entry}`),
      './package.json',
    ])
  })
})
