import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { decodeRequest, recordsOf, valueOf } from '../../../test/oracle/oracle.ts'
import { temporaryFolder } from '../../../test/servers/at-exit.ts'
import { type Collector, startHttpCollector } from '../pipe/kit/collector.ts'
import { installed, RUNTIMES, type Runtime } from './runtimes.ts'

const SDK = fileURLToPath(new URL('../..', import.meta.url))
const exec = promisify(execFile)

/** The package as it would be published, installed into a project that has nothing else. */
let project: string
let tarball: string

beforeAll(async () => {
  const folder = (await temporaryFolder('sdk-package')).path
  const packed = await exec('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: SDK })
  tarball = join(folder, packed.stdout.trim().split('\n').at(-1) ?? '')
  project = join(folder, 'project')
  await mkdir(project)
  await writeFile(join(project, 'package.json'), '{ "name": "shop", "private": true }')
  await install(tarball)
}, 180_000)

const install = (...packages: string[]) =>
  exec('npm', ['install', '--silent', '--no-audit', '--no-fund', '--ignore-scripts', ...packages], {
    cwd: project,
  })

const LOGS = `
  const log = createLogger({ service: 'shop', endpoint: process.env.COLLECTOR })
  log.info({ runtime: process.env.RUNTIME }, 'hello from %s', process.env.RUNTIME)
`
const PROGRAMS = {
  'esm.mjs': `import { createLogger } from '@sluice/logs'\n${LOGS}`,
  'required.cjs': `const { createLogger } = require('@sluice/logs')\n${LOGS}`,
  'imported.cjs': `import('@sluice/logs').then(({ createLogger }) => {${LOGS}})`,
}

async function run(
  runtime: Runtime,
  program: keyof typeof PROGRAMS,
  collector: Collector,
): Promise<string[]> {
  const { command, args } = await installed(runtime)
  await writeFile(join(project, program), PROGRAMS[program])
  await exec(command, [...args, program], {
    cwd: project,
    env: { ...process.env, COLLECTOR: collector.url, RUNTIME: runtime },
    timeout: 30_000,
  })
  return collector.requests
    .flatMap((request) => recordsOf(decodeRequest(request)))
    .map(({ record }) => String(valueOf(record.body)))
}

describe('the package, installed into an empty project', () => {
  it.each(RUNTIMES.map((runtime) => [runtime]))(
    'is imported by a module of %s, and has sent all when the process ends by itself',
    async (runtime) => {
      await using collector = await startHttpCollector()

      expect(await run(runtime, 'esm.mjs', collector)).toEqual([`hello from ${runtime}`])
    },
    120_000,
  )

  it.each<[Runtime]>([['node 18'], ['node 20']])('is imported by CommonJS of %s', async (runtime) => {
    await using collector = await startHttpCollector()

    expect(await run(runtime, 'imported.cjs', collector)).toEqual([`hello from ${runtime}`])
  })

  it('is required by CommonJS of newer versions of Node', async () => {
    await using collector = await startHttpCollector()

    expect(await run('node', 'required.cjs', collector)).toEqual(['hello from node'])
  })

  it('has types that the compiler takes without skipping any', async () => {
    await writeFile(
      join(project, 'shop.ts'),
      `import { createLogger, defineEvents, type Logger, setLevel, withContext } from '@sluice/logs'
const log: Logger = createLogger({ service: 'shop', redact: ['*.card'], queue: { maxBytes: 1e6 } })
log.info({ orderId: 7 }, 'order %s placed', 'x')
log.error(new Error('refused'), 'payment')
log.debug(() => 'later')
const answer: number = withContext({ fresh: 'trace' }, () => 42)
setLevel('shop', 'debug')
// @ts-expect-error there is no such level
log.level = 'loud'
export { answer, defineEvents }
`,
    )
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022']
    const node = await installed('node')
    await install('@types/node@24')

    await exec(
      node.command,
      [
        join(SDK, 'node_modules/typescript/bin/tsc'),
        ...options,
        '--types',
        'node',
        '--skipLibCheck',
        'false',
        'shop.ts',
      ],
      { cwd: project },
    ).catch(({ stdout }: { stdout: string }) => expect.fail(stdout))
  })

  it('has entries and types that every resolver of modules finds', async () => {
    const { command } = await installed('node')
    const attw = fileURLToPath(
      new URL('../../../node_modules/@arethetypeswrong/cli/dist/index.js', import.meta.url),
    )
    const publint = fileURLToPath(new URL('../../../node_modules/publint/src/cli.js', import.meta.url))

    await exec(command, [attw, tarball, '--profile', 'esm-only', '--format', 'ascii']).catch(
      ({ stdout }: { stdout: string }) => expect.fail(stdout),
    )
    await exec(command, [publint, SDK, '--strict']).catch(({ stdout }: { stdout: string }) =>
      expect.fail(stdout),
    )
  })

  it('depends on nothing but what its README lists', async () => {
    const listed = await exec('npm', ['ls', '--all', '--parseable'], { cwd: project })
    const names = listed.stdout
      .trim()
      .split('\n')
      .map((path) => path.split('node_modules/').at(-1) ?? '')
      .filter((name) => !name.startsWith('/') && !name.startsWith('@types/') && name !== 'undici-types')
    const readme = await readFile(join(SDK, 'README.md'), 'utf8')

    expect(names).toContain('@grpc/grpc-js')
    expect(names.filter((name) => name !== '@sluice/logs' && !readme.includes(`\`${name}\``))).toEqual([])
  })

  it('has an API reference made from what is in the code', async () => {
    const folder = (await temporaryFolder('sdk-api')).path
    const typedoc = join(SDK, 'node_modules/typedoc/bin/typedoc')

    await exec(process.execPath, [typedoc, '--out', folder], { cwd: SDK })

    await exec('diff', ['-r', folder, join(SDK, 'docs/api')]).catch(({ stdout }: { stdout: string }) =>
      expect.fail(`it is old: npm run docs in sdk/ makes it anew\n${stdout}`),
    )
  })
})
