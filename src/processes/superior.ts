import cluster from 'node:cluster'
import type { News, Order, Report } from './messages.ts'

type RunOrder = Extract<Order, { type: 'run' }>
type Question = Extract<Order, { type: 'report' }>

/** The supervising process, as a worker sees it. */
export class Superior {
  /** What is to be run. */
  readonly orders: Promise<RunOrder>
  /** Resolves when it orders to stop, with the milliseconds that it may take. */
  readonly stop: Promise<number>
  /** Resolves when there is nobody left to take orders from. */
  readonly gone: Promise<void>
  isGone = false
  readonly #answering = Promise.withResolvers<(question: Question) => Promise<Report>>()
  /** Answers go out in the order of the questions, so that no count goes back. */
  #answered: Promise<void> = Promise.resolve()

  constructor() {
    const orders = Promise.withResolvers<RunOrder>()
    const stop = Promise.withResolvers<number>()
    this.orders = orders.promise
    this.stop = stop.promise
    this.gone = this.#untilGone()
    process.on('message', (order: Order) => {
      if (order.type === 'run') orders.resolve(order)
      else if (order.type === 'stop') stop.resolve(order.timeoutMs)
      else this.#answered = this.#answered.then(() => this.#reply(order))
    })
  }

  /** From now on `answer` answers its questions, those included that have been asked before. */
  answer(answer: (question: Question) => Promise<Report>): void {
    this.#answering.resolve(answer)
  }

  /** Resolves once the news are on their way, or there is nobody to tell them to. */
  tell(news: News): Promise<void> {
    return new Promise((resolve) => {
      if (process.send && process.connected) process.send(news, undefined, undefined, () => resolve())
      else resolve()
    })
  }

  #untilGone(): Promise<void> {
    return new Promise((resolve) => {
      const gone = (): void => {
        this.isGone = true
        resolve()
      }
      process.on('disconnect', gone)
      if (cluster.worker === undefined) return
      // Left alone, a worker of a cluster ends on the spot when it loses its connection.
      cluster.worker.exitedAfterDisconnect = true
      // What Node itself could not tell any more: the connection is lost.
      cluster.worker.on('error', gone)
    })
  }

  async #reply(question: Question): Promise<void> {
    const answer = await this.#answering.promise
    await this.tell(await answer(question))
  }
}
