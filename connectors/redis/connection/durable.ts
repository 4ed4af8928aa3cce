import { RetryableError } from '../../../src/component.ts'
import type { Script } from '../stream/scripts.ts'
import type { Answer, RedisClient } from './client.ts'
import type { Confirmation, Question, Shortfall } from './durability.ts'
import { isReply, tellsOfAnother } from './errors.ts'
import type { Argument, Link } from './link.ts'

/** Milliseconds between looks at a server that was not durable, and what senders are asked to wait meanwhile. */
const AGAIN = 1_000

/** One question to the server. It covers what was sent over its link before. */
interface Round {
  readonly link: Link
  /** Where it stands in what was sent; Infinity until then. */
  place: number
  readonly done: Promise<void>
}

/**
 * Runs scripts that write, and resolves once what they wrote is as durable as asked for. WAIT and WAITAOF hold up
 * their connection, so one is sent for all that was answered in the same breath; what is sent meanwhile is done
 * after it, together, and covered by the next.
 *
 * Nothing is written until a connection was seen to be durable, nor after it was seen not to be until it is again:
 * otherwise senders who come back would leave a copy at every attempt.
 */
export class DurableWriter {
  readonly #client: RedisClient
  readonly #confirmation: Confirmation | undefined
  #round: Round | undefined
  /** The link whose last answer was good. */
  #proved: Link | undefined
  #proving: Promise<void> | undefined
  #refusal: RetryableError | undefined
  #refusedAt = 0
  #misfit = false
  #timer: NodeJS.Timeout | undefined

  /** Without a confirmation, the answer to the script is enough. */
  constructor(client: RedisClient, confirmation: Confirmation | undefined) {
    this.#client = client
    this.#confirmation = confirmation
  }

  /** Why writes are refused, where the server was seen not to be durable. */
  get trouble(): string | undefined {
    return this.#refusal?.message
  }

  /** Looks at the server now, and from then on as long as it is not durable. Throws where its settings never will be. */
  async start(): Promise<void> {
    if (this.#confirmation === undefined) return
    this.#timer = setInterval(() => void this.#prove().catch(() => {}), AGAIN).unref()
    await this.#prove().catch(() => {})
    if (this.#misfit && this.#refusal) throw new Error(this.#refusal.message)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Like `RedisClient.run`, for a script that answers 0 where it wrote nothing. */
  async run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    await this.#client.connect()
    if (this.#confirmation === undefined) return this.#client.run(script, keys, args)
    await this.#prove()
    const answer = await this.#client.exchange(script, keys, args)
    if (answer.reply !== 0) await this.#confirmed(answer, this.#confirmation)
    return answer.reply
  }

  /** Resolves when the connection is known to be durable, or there is none: then the write will say so. */
  async #prove(): Promise<void> {
    const { link } = this.#client
    if (link === undefined || link === this.#proved || this.#confirmation === undefined) return
    if (this.#refusal && performance.now() - this.#refusedAt < AGAIN / 2) throw this.#refusal
    this.#proving ??= this.#ask(link, this.#confirmation).finally(() => {
      this.#proving = undefined
    })
    await this.#proving
  }

  #confirmed({ link, place }: Answer, confirmation: Confirmation): Promise<void> {
    const current = this.#round
    if (current?.link === link && current.place > place) return current.done
    const { promise, resolve } = Promise.withResolvers<void>()
    const round: Round = { link, place: Number.POSITIVE_INFINITY, done: promise }
    this.#round = round
    // What else is answered in the same breath shares it.
    setImmediate(() => {
      round.place = link.sent
      resolve(this.#ask(link, confirmation))
    })
    return promise
  }

  async #ask(link: Link, confirmation: Confirmation): Promise<void> {
    // Sent together, so that they cover the same.
    const questions = confirmation.questions(this.#client.version)
    const answers = await Promise.all(questions.map((question) => this.#shortfall(link, question)))
    const shortfall = answers.find((answer) => answer !== undefined)
    if (shortfall === undefined) {
      this.#proved = link
      this.#refusal = undefined
      this.#misfit = false
      return
    }
    this.#proved = undefined
    this.#refusedAt = performance.now()
    this.#misfit = shortfall.misfit
    const { reason } = confirmation
    const message = `${this.#client.address} ${shortfall.detail}`
    this.#refusal = new RetryableError(message, { reason, retryAfter: AGAIN })
    throw this.#refusal
  }

  async #shortfall(link: Link, question: Question): Promise<Shortfall | undefined> {
    const { command, args } = question
    try {
      return question.judge(await link.send(command, args))
    } catch (error) {
      if (!isReply(error) || tellsOfAnother(error)) throw this.#client.explain(error, link)
      const text = error.message.replace(/^ERR /, '')
      const detail = text.startsWith('unknown command')
        ? `does not know ${command}: durability ${command.toLowerCase()} needs Redis 7.2 or Valkey`
        : `cannot be asked to confirm what was written: ${text}`
      return { detail, misfit: true }
    }
  }
}
