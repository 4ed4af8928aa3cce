import type { ComponentContext } from '../define.ts'

/** What is wrong with several parts of a component: it is well again once nothing is. */
export class Troubles {
  readonly #health: ComponentContext['health']
  readonly #problems = new Map<string, string>()

  constructor(health: ComponentContext['health']) {
    this.#health = health
  }

  /** Where a part says what is wrong with it; undefined when nothing is any more. */
  of(part: string): (problem: string | undefined) => void {
    return (problem) => {
      if (problem === undefined) this.#problems.delete(part)
      else this.#problems.set(part, problem)
      const told = [...this.#problems].map(([name, text]) => `${name}: ${text}`)
      if (told.length === 0) this.#health('ok')
      else this.#health('degraded', told.join('; '))
    }
  }
}
