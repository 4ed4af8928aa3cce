import type { Redis, RedisOptions } from 'ioredis'

export type Argument = string | number | Buffer

/** Where a server is, and who asks. */
export type Target = Pick<RedisOptions, 'host' | 'port' | 'path' | 'tls' | 'username' | 'password' | 'db'>

export interface LinkOptions {
  /** Milliseconds until an unanswered command, or the attempt to connect, is given up. */
  readonly timeout: number
  /** What CLIENT LIST shows. */
  readonly name: string
}

/** A command was not answered in time. */
export class SilenceError extends Error {
  constructor(timeout: number) {
    super(`did not answer within ${timeout} ms`)
  }
}

/**
 * One connection, from its beginning to its end: it never comes back. Nothing is queued or sent twice, and every
 * command settles: with the answer, at the timeout, or when the connection ends.
 */
export class Link {
  /** Resolves when the connection has ended, with the reason. */
  readonly ended: Promise<unknown>
  readonly #redis: Redis
  readonly #timeout: number
  readonly #pending = new Set<(error: unknown) => void>()
  readonly #end: (reason: unknown) => void
  #open = true
  #sent = 0

  private constructor(redis: Redis, timeout: number) {
    this.#redis = redis
    this.#timeout = timeout
    const { promise, resolve } = Promise.withResolvers<unknown>()
    this.ended = promise
    this.#end = resolve
    redis.on('close', () => this.close(new Error('the connection was lost')))
  }

  /** @throws what the server, or the system, said against it */
  static async open(target: Target, { timeout, name }: LinkOptions): Promise<Link> {
    const { Redis } = await import('ioredis')
    const { db = 0, ...place } = target
    const redis = new Redis({
      ...place,
      lazyConnect: true,
      connectionName: name,
      disableClientInfo: true,
      enableOfflineQueue: false,
      enableReadyCheck: false,
      connectTimeout: timeout,
      // For the handshake; our own commands have a timer each.
      commandTimeout: timeout,
      retryStrategy: () => null,
    })
    let trouble: unknown
    redis.on('error', (error) => {
      trouble ??= error
    })
    const link = new Link(redis, timeout)
    try {
      await redis.connect()
      // Not left to ioredis, which would go on in database 0 where this is refused.
      if (db !== 0) await link.send('SELECT', [db])
      return link
    } catch (error) {
      link.close(error)
      throw trouble ?? error
    }
  }

  /** How many commands were sent: the place of the next one in the order in which the server does them. */
  get sent(): number {
    return this.#sent
  }

  /** Texts come back as Buffers. ioredis leaves commands pending when their connection is lost (redis/ioredis#2193), so this watches them. */
  send(name: string, args: readonly Argument[]): Promise<unknown> {
    if (!this.#open) return this.ended.then((reason) => Promise.reject(reason as Error))
    this.#sent++
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        clearTimeout(timer)
        this.#pending.delete(fail)
        reject(error as Error)
      }
      const timer = setTimeout(() => {
        const silence = new SilenceError(this.#timeout)
        fail(silence)
        // What the connection still holds would otherwise pile up behind a server that does not read.
        this.close(silence)
      }, this.#timeout)
      this.#pending.add(fail)
      this.#redis.callBuffer(name, [...args]).then((reply) => {
        clearTimeout(timer)
        this.#pending.delete(fail)
        resolve(reply)
      }, fail)
    })
  }

  /** Ends the connection; what is still unanswered is rejected with the reason. */
  close(reason: unknown): void {
    if (!this.#open) return
    this.#open = false
    this.#redis.disconnect()
    for (const fail of this.#pending) fail(reason)
    this.#end(reason)
  }
}

/** Asks a server one thing, over a connection of its own. */
export async function ask(
  target: Target,
  options: LinkOptions,
  name: string,
  args: readonly Argument[],
): Promise<unknown> {
  const link = await Link.open(target, options)
  try {
    return await link.send(name, args)
  } finally {
    link.close(new Error('the connection was closed'))
  }
}
