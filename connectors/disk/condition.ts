import type { ComponentContext } from '../../src/define.ts'

/** Something that may be wrong: pushes are not taken, or the disk does not give back what it holds. */
type Kind = 'push' | 'read'

interface Problem {
  readonly reason: string
  readonly message: string
}

const OVER: Readonly<Record<Kind, string>> = {
  push: 'the buffer takes batches again',
  read: 'the buffer can be read again',
}
const BEGUN: Readonly<Record<Kind, string>> = {
  push: 'the buffer takes no batches',
  read: 'the buffer cannot be read',
}

/** Tells operators what is wrong with the buffer, once each time it changes. */
export class Condition {
  readonly #context: Pick<ComponentContext, 'health' | 'log'>
  readonly #problems = new Map<string, Problem>()

  constructor(context: Pick<ComponentContext, 'health' | 'log'>) {
    this.#context = context
  }

  /** `where`: groups have their problems each. */
  set(kind: Kind, problem: Problem | undefined, where = ''): void {
    const key = `${kind} ${where}`
    if (this.#problems.get(key)?.reason === problem?.reason) return
    if (problem === undefined) {
      this.#problems.delete(key)
      this.#context.log.info(OVER[kind])
    } else {
      this.#problems.set(key, problem)
      this.#context.log.warn({ reason: problem.reason, detail: problem.message }, BEGUN[kind])
    }
    this.tell()
  }

  /** Says how the buffer is now. */
  tell(): void {
    const problems = [...this.#problems.values()].map(({ message }) => message)
    if (problems.length === 0) this.#context.health('ok')
    else this.#context.health('degraded', problems.join('; '))
  }
}
