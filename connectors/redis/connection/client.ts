import { setTimeout as sleep } from 'node:timers/promises'
import type { RetryableError } from '../../../src/component.ts'
import type { Script } from '../stream/scripts.ts'
import { describe, isReply, tellsOfAnother } from './errors.ts'
import { greet } from './greeting.ts'
import { type Argument, Link, type Target } from './link.ts'
import { type Locator, nameOf } from './locator.ts'

const FIRST_DELAY = 100
const MAX_DELAY = 2_000
/** Where another server may have taken over, waiting longer gives nobody a rest. */
const MAX_ROAMING_DELAY = 400
/** Between questions whether the server was replaced. */
const RECHECK = 250

export interface ClientOptions {
  readonly locator: Locator
  /** Milliseconds until an unanswered command, or attempt to connect, is given up. */
  readonly timeout: number
  /** What CLIENT LIST shows. */
  readonly name: string
}

/** An answer, and where its command stood: what is sent later over the same link is done later. */
export interface Answer {
  readonly reply: unknown
  readonly link: Link
  readonly place: number
}

/**
 * A connection that comes back by itself, to whatever server is the right one then. Commands are never queued while
 * it is away, never sent twice, and always settle: with the answer, at the timeout, or when the connection is lost.
 * All errors are RetryableErrors.
 */
export class RedisClient {
  /** What it connects to, without user and password, for messages. */
  readonly address: string
  readonly #options: ClientOptions
  readonly #listeners: (() => void)[] = []
  readonly #ending = new AbortController()
  #connecting: Promise<void> | undefined
  #link: Link | undefined
  #lastError: unknown = new Error('not connected yet')
  #server: string | undefined
  #version = ''
  #place = ''

  constructor(options: ClientOptions) {
    this.#options = options
    this.address = options.locator.address
  }

  /** Which run of a server it is connected to: another one may have lost what was last written. */
  get server(): string | undefined {
    return this.#server
  }

  /** What it called itself when it was connected to, `Redis 7.2.4` for one; empty where that is unknown. */
  get version(): string {
    return this.#version
  }

  /** The connection of this moment. */
  get link(): Link | undefined {
    return this.#link
  }

  /** Calls back whenever the connection has come or gone. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** Resolves once the first attempt has succeeded or failed; further ones follow in the background. */
  connect(): Promise<void> {
    this.#connecting ??= new Promise((attempted) => void this.#keepConnected(attempted))
    return this.#connecting
  }

  /** Ends the connection; what is still unanswered is rejected. */
  close(): void {
    this.#ending.abort()
    this.#lastError = new Error('the connection was closed')
    this.#link?.close(this.#lastError)
    this.#options.locator.close?.()
    this.#lost()
  }

  /** Runs a script; texts come back as Buffers. */
  async run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    return (await this.exchange(script, keys, args)).reply
  }

  /** Runs a script, and tells where it stood. */
  async exchange(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<Answer> {
    const link = this.#connected()
    const rest = [keys.length, ...keys, ...args]
    try {
      return await exchange(link, 'EVALSHA', [script.sha, ...rest])
    } catch (error) {
      if (!isReply(error) || !error.message.startsWith('NOSCRIPT')) throw this.explain(error, link)
    }
    try {
      return await exchange(link, 'EVAL', [script.lua, ...rest])
    } catch (error) {
      throw this.explain(error, link)
    }
  }

  /** Sends a command; texts come back as Buffers. */
  async command(name: string, args: readonly Argument[]): Promise<unknown> {
    const link = this.#connected()
    try {
      return await link.send(name, args)
    } catch (error) {
      throw this.explain(error, link)
    }
  }

  /** What to tell senders about an error of a link, which ends where the right server is another one by now. */
  explain(error: unknown, link: Link): RetryableError {
    const { locator } = this.#options
    const explained = describe(this.#where(), error, locator.roams)
    // An answer of a link that has been left says nothing about the one of now.
    if (link === this.#link && locator.roams && isReply(error) && tellsOfAnother(error)) {
      locator.refused?.(error.message)
      link.close(explained)
      this.#lost()
    }
    return explained
  }

  #connected(): Link {
    if (this.#link === undefined) throw describe(this.#where(), this.#lastError, this.#options.locator.roams)
    return this.#link
  }

  async #keepConnected(attempted: () => void): Promise<void> {
    const { signal } = this.#ending
    const longest = this.#options.locator.roams ? MAX_ROAMING_DELAY : MAX_DELAY
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        const link = await this.#enter()
        failures = 0
        this.#link = link
        this.#changed()
        attempted()
        this.#lastError = await link.ended
      } catch (error) {
        this.#lastError = error
      }
      if (signal.aborted) break
      this.#lost()
      attempted()
      const delay = Math.min(FIRST_DELAY * 2 ** Math.min(failures, 10), longest) * (0.5 + Math.random() / 2)
      await sleep(delay, undefined, { signal }).catch(() => {})
    }
    attempted()
  }

  /** Finds the server, and learns who it is once it has read its data from disk. */
  async #enter(): Promise<Link> {
    const { locator } = this.#options
    const { signal } = this.#ending
    const target = await locator.find()
    this.#place = placeOf(target)
    const link = await Link.open(target, this.#options)
    const end = (): void => link.close(new Error('the connection was closed'))
    signal.addEventListener('abort', end)
    void link.ended.then(() => signal.removeEventListener('abort', end))
    if (signal.aborted) end()
    const onLoading = (trouble: RetryableError): void => {
      this.#lastError = trouble
    }
    try {
      const { roams } = locator
      const { server, version } = await greet(link, { address: this.#where(), roams, onLoading })
      this.#server = server
      this.#version = version
    } catch (error) {
      link.close(error)
      throw error
    }
    void this.#watch(link, target)
    return link
  }

  /** Leaves a server that others have replaced. */
  async #watch(link: Link, target: Target): Promise<void> {
    const { locator } = this.#options
    if (locator.replaced === undefined) return
    const over = new AbortController()
    void link.ended.then(() => over.abort())
    while (!over.signal.aborted) {
      await sleep(RECHECK, undefined, { signal: over.signal, ref: false }).catch(() => {})
      // Who cannot ask stays: a server that answers is better than none.
      const replaced = await locator.replaced(target).catch(() => false)
      if (replaced) link.close(new Error('another server was put in its place'))
    }
  }

  #lost(): void {
    this.#server = undefined
    this.#link = undefined
    this.#changed()
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }

  /** Where the server may change, with the place it was last found at. */
  #where(): string {
    const { roams } = this.#options.locator
    return roams && this.#place !== '' ? `${this.address} (${this.#place})` : this.address
  }
}

async function exchange(link: Link, name: string, args: readonly Argument[]): Promise<Answer> {
  const place = link.sent
  return { reply: await link.send(name, args), link, place }
}

function placeOf({ host = '', port = 0 }: Target): string {
  return nameOf({ host, port })
}
