import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { RetryableError } from '../../../src/component.ts'
import type { Script } from '../stream/scripts.ts'
import { describe, isReply } from './errors.ts'
import { parseInfo } from './info.ts'

const LOADING_PAUSE = 250
const MAX_RECONNECT_DELAY = 2_000

export type Argument = string | number | Buffer

export interface ClientOptions {
  readonly url: string
  /** Milliseconds until an unanswered command, or attempt to connect, is given up. */
  readonly timeout: number
  /** What CLIENT LIST shows. */
  readonly name: string
}

/**
 * A connection that comes back by itself. Commands are never queued while it is away, never sent twice, and always
 * settle: with the answer, at the timeout, or when the connection is lost. All errors are RetryableErrors.
 */
export class RedisClient {
  /** The server without user and password, for messages. */
  readonly address: string
  readonly #options: ClientOptions
  readonly #listeners: (() => void)[] = []
  readonly #pending = new Set<(error: unknown) => void>()
  #redis: Redis | undefined
  #lastError: unknown = new Error('not connected yet')
  #server: string | undefined

  constructor(options: ClientOptions) {
    this.#options = options
    const { protocol, host } = new URL(options.url)
    this.address = `${protocol}//${host}`
  }

  /** Which run of a server it is connected to: another one may have lost what was last written. */
  get server(): string | undefined {
    return this.#server
  }

  /** Calls back whenever the connection has come or gone. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** Resolves once the first attempt has succeeded or failed; further ones follow in the background. */
  async connect(): Promise<void> {
    const { Redis } = await import('ioredis')
    const { url, timeout, name } = this.#options
    const redis = new Redis(url, {
      lazyConnect: true,
      connectionName: name,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      // Our own, which also gives the server its identity: see #greet.
      enableReadyCheck: false,
      connectTimeout: timeout,
      // For the handshake; our own commands have a timer each.
      commandTimeout: timeout,
      retryStrategy: (attempt) =>
        Math.min(50 * 2 ** Math.min(attempt, 10), MAX_RECONNECT_DELAY) * (0.5 + Math.random() / 2),
    })
    this.#redis = redis
    let greeted: Promise<void> | undefined
    redis.on('ready', () => {
      greeted = this.#greet(redis)
    })
    redis.on('error', (error) => {
      this.#lastError = error
    })
    redis.on('close', () => this.#lost(new Error('the connection was lost')))
    await redis.connect().catch(() => {})
    await greeted
  }

  /** Ends the connection; what is still unanswered is rejected. */
  close(): void {
    this.#redis?.disconnect()
    this.#lost(new Error('the connection was closed'))
    this.#redis = undefined
  }

  /** Runs a script; texts come back as Buffers. */
  async run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    const rest = [keys.length, ...keys, ...args]
    try {
      return await this.#connected('EVALSHA', [script.sha, ...rest])
    } catch (error) {
      if (!isReply(error) || !error.message.startsWith('NOSCRIPT')) throw describe(this.address, error)
    }
    return this.command('EVAL', [script.lua, ...rest])
  }

  /** Sends a command; texts come back as Buffers. */
  async command(name: string, args: readonly Argument[]): Promise<unknown> {
    try {
      return await this.#connected(name, args)
    } catch (error) {
      throw describe(this.address, error)
    }
  }

  #connected(name: string, args: readonly Argument[]): Promise<unknown> {
    if (this.#redis === undefined || this.#server === undefined) return Promise.reject(this.#lastError)
    return this.#send(this.#redis, name, args)
  }

  /** ioredis leaves commands pending forever when their connection is lost (redis/ioredis#2193), so this watches them. */
  #send(redis: Redis, name: string, args: readonly Argument[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        clearTimeout(timer)
        this.#pending.delete(fail)
        reject(error as Error)
      }
      const timer = setTimeout(() => {
        const problem = `${this.address} did not answer within ${this.#options.timeout} ms`
        fail(new RetryableError(problem, { reason: 'timeout' }))
        // What the connection still holds would otherwise pile up behind a server that does not read.
        this.#lost(new Error(`no answer within ${this.#options.timeout} ms`))
        redis.disconnect(true)
      }, this.#options.timeout)
      this.#pending.add(fail)
      redis.callBuffer(name, [...args]).then((reply) => {
        clearTimeout(timer)
        this.#pending.delete(fail)
        resolve(reply)
      }, fail)
    })
  }

  /** Learns who answers, and waits until it has read its data from disk. */
  async #greet(redis: Redis): Promise<void> {
    try {
      for (;;) {
        const info = parseInfo(await this.#send(redis, 'INFO', []))
        this.#server = info.get('loading') === '1' ? undefined : (info.get('run_id') ?? '')
        if (this.#server !== undefined) break
        this.#lastError = new RetryableError(`${this.address} is reading its data from disk`, {
          reason: 'loading',
        })
        await sleep(LOADING_PAUSE, undefined, { ref: false })
      }
    } catch (error) {
      this.#lastError = error
      // A user who may not ask is connected all the same; what reads the state of the server will say so.
      if (isReply(error)) this.#server = ''
    }
    this.#changed()
  }

  #lost(error: Error): void {
    const had = this.#server !== undefined
    this.#server = undefined
    if (had) this.#lastError = error
    for (const fail of this.#pending) fail(error)
    this.#changed()
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }
}
