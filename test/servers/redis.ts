import { mkdir } from 'node:fs/promises'
import { canInstall, installPackages } from './apt.ts'
import { temporaryFolder } from './at-exit.ts'
import { freePort } from './ports.ts'
import { Child, executable, which } from './process.ts'
import { valkeyProgram } from './valkey.ts'

const DURABLE = {
  appendonly: 'yes',
  appendfsync: 'everysec',
  save: '',
  maxmemory: '1gb',
  'maxmemory-policy': 'noeviction',
}
const STOP_GRACE = 5_000
const BOOT_TIMEOUT = 60_000

export interface RedisOptions {
  /** A free one when absent. */
  readonly port?: number
  /** Kept at the end when given; a temporary one otherwise. */
  readonly dir?: string
  /** More arguments of redis-server. They come after ours and win. */
  readonly args?: readonly string[]
  /** Redis unless something else is said. Not every machine can have Valkey: ask `valkeyProblem` first. */
  readonly flavour?: 'redis' | 'valkey'
  /** More of the environment. */
  readonly env?: NodeJS.ProcessEnv
}

/** A real redis-server on 127.0.0.1. */
export interface RedisServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly dir: string
  /** Changes with every restart. */
  readonly pid: number
  /** Ends the server in order and removes its folder if it is a temporary one. May be called twice. */
  stop(): Promise<void>
  /** Ends the server as a crash does; the folder stays. */
  kill(): Promise<void>
  /** Starts the server again on the same port and folder, after ending it in order if it runs. */
  restart(): Promise<void>
  /** Freezes the server: connections stay open and nothing is answered. */
  pause(): void
  resume(): void
}

export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const program = options.flavour === 'valkey' ? await valkeyProgram() : await redisProgram()
  const port = options.port ?? (await freePort())
  const temporary = options.dir === undefined ? await temporaryFolder('redis') : undefined
  const dir = options.dir ?? temporary?.path ?? ''
  await mkdir(dir, { recursive: true })

  const settings = { bind: '127.0.0.1', port: String(port), dir, daemonize: 'no', logfile: '', ...DURABLE }
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  const args = [...flags, ...(options.args ?? [])]
  const start = async () => {
    const started = new Child(program, args, { env: { ...process.env, ...options.env } })
    try {
      await started.line(/Ready to accept connections/, BOOT_TIMEOUT)
      return started
    } catch (error) {
      await started.kill()
      throw error
    }
  }

  let child = await start().catch(async (error: unknown) => {
    await temporary?.remove()
    throw error
  })
  const stop = async () => {
    await child.stop(STOP_GRACE)
    await temporary?.remove()
  }

  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    dir,
    get pid() {
      return child.pid
    },
    stop,
    kill: () => child.kill(),
    async restart() {
      await child.stop(STOP_GRACE)
      child = await start()
    },
    pause: () => child.signal('SIGSTOP'),
    resume: () => child.signal('SIGCONT'),
    [Symbol.asyncDispose]: stop,
  }
}

/** Where redis-server is; installs it where it is not and may be. */
export async function redisProgram(): Promise<string> {
  const named = process.env.SLUICE_REDIS_SERVER
  if (named) {
    if (executable(named)) return named
    throw new Error(`SLUICE_REDIS_SERVER is ${named}, which is no program that can be run`)
  }
  if (!which('redis-server') && canInstall()) {
    await installPackages(['redis-server'], () => which('redis-server') !== undefined)
  }
  const program = which('redis-server')
  if (program) return program
  throw new Error(
    'redis-server is needed: install it (`apt-get install redis-server`, `brew install redis`) or set SLUICE_REDIS_SERVER to its path',
  )
}
