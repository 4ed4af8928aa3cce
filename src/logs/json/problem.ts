import { MalformedError } from '../wire.ts'

/** What is wrong with a JSON request; the path to the place grows while the error rises through the messages. */
export class JsonProblem extends MalformedError {
  readonly #problem: string
  #path = ''

  constructor(problem: string) {
    super(problem)
    this.#problem = problem
  }

  /** Puts the name of a member, or the `[index]` of an item, before the path. */
  under(step: string): this {
    this.#path = this.#path === '' || this.#path.startsWith('[') ? step + this.#path : `${step}.${this.#path}`
    this.message = `${this.#path}: ${this.#problem}`
    return this
  }
}
