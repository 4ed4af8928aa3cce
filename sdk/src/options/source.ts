import type { Diagnostics } from '../diagnostics.ts'

/** The environment that settings are read from. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads single settings: the code's value, else that of the first variable that is set, else the default. What is wrong
 * is told of once and then as if it was not there; the value itself is not told: it may be a secret.
 */
export class Source {
  readonly #environment: Environment
  readonly #diagnostics: Diagnostics

  constructor(environment: Environment, diagnostics: Diagnostics) {
    this.#environment = environment
    this.#diagnostics = diagnostics
  }

  /** Tells what is wrong with a setting. */
  reject(name: string, problem: string): void {
    this.#diagnostics.warn(`option ${name}`, `${name} ${problem}`)
  }

  /** A variable; one that is empty is as one that is not set: Environment Variable Specification, "Parsing empty value". */
  variable(name: string): string | undefined {
    const value = this.#environment[name]?.trim()
    return value === '' ? undefined : value
  }

  /** The first of the variables that is set, and its name. */
  first(names: readonly string[]): readonly [name: string, value: string] | undefined {
    for (const name of names) {
      const value = this.variable(name)
      if (value !== undefined) return [name, value]
    }
    return undefined
  }

  /** A whole number from `least` to `most`. */
  number(option: Option<unknown>, names: readonly string[], range: Range, fallback: number): number {
    const read = (name: string, value: unknown): number | undefined => {
      const { least, most = Number.POSITIVE_INFINITY } = range
      if (typeof value === 'number' && value >= least && value <= most && isWhole(value)) return value
      const until = most === Number.POSITIVE_INFINITY ? 'or more' : `to ${most}`
      this.reject(name, `is not a whole number of ${least} ${until}: using the default`)
      return undefined
    }
    return (
      this.#read(option, names, read, (text) => (/^[+-]?\d+$/.test(text) ? Number(text) : undefined)) ??
      fallback
    )
  }

  /** One of some words; of a variable in any case. */
  choice<T extends string>(
    option: Option<unknown>,
    names: readonly string[],
    words: readonly T[],
  ): T | undefined {
    const read = (name: string, value: unknown): T | undefined => {
      const word = words.find((word) => word === value)
      if (word === undefined) this.reject(name, `is none of ${words.join(', ')}: using the default`)
      return word
    }
    return this.#read(option, names, read, (text) => text.toLowerCase())
  }

  /** Environment Variable Specification, "Boolean": of a variable only `true` is true. */
  flag(option: Option<unknown>, names: readonly string[], fallback: boolean): boolean {
    const read = (name: string, value: unknown): boolean | undefined => {
      if (typeof value === 'boolean') return value
      this.reject(name, `is not true or false: using ${fallback}`)
      return undefined
    }
    const parse = (text: string): unknown => ({ true: true, false: false })[text.toLowerCase()]
    return this.#read(option, names, read, parse) ?? fallback
  }

  text(option: Option<unknown>, names: readonly string[] = []): string | undefined {
    const read = (name: string, value: unknown): string | undefined => {
      if (typeof value === 'string' && value !== '') return value
      this.reject(name, 'is not a text: leaving it out')
      return undefined
    }
    return this.#read(option, names, read, (text) => text)
  }

  #read<T>(
    { name, value }: Option<unknown>,
    names: readonly string[],
    read: (name: string, value: unknown) => T | undefined,
    parse: (text: string) => unknown,
  ): T | undefined {
    const own = value === undefined ? undefined : read(`option ${name}`, value)
    if (own !== undefined) return own
    const variable = this.first(names)
    return variable && read(variable[0], parse(variable[1]))
  }
}

/** An option of the code, by the name that it is told of. */
export interface Option<T> {
  readonly name: string
  readonly value: T
}

interface Range {
  readonly least: number
  readonly most?: number
}

const isWhole = (value: number): boolean => Number.isInteger(value) || value === Number.POSITIVE_INFINITY
