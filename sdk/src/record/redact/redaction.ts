import type { Censor, RedactionSettings } from '../../options/settings.ts'
import { type Masks, masksOf } from './detectors.ts'
import { compilePaths, type PathState, parsePath } from './paths.ts'

const DEFAULT_CENSOR = '[Redacted]'

/** What a logger does not let out, made ready once. */
export class Redaction {
  /** Where a reader of the fields of a record begins. */
  readonly root: PathState | undefined
  /** What is done with each text and number. */
  readonly masks: Masks | undefined
  readonly #censor: Censor | undefined

  /** Of `paths` those that are none are left out: they are reported where settings are resolved. */
  constructor({ paths, censor, detectors }: RedactionSettings) {
    this.root = compilePaths(paths.map(parsePath).filter((path) => path !== undefined))
    this.masks = masksOf(detectors)
    this.#censor = censor
  }

  /** What stands in place of the value; undefined when the field is left out. */
  censored(value: unknown, path: readonly string[]): unknown {
    if (typeof this.#censor !== 'function') return this.#censor
    try {
      return this.#censor(value, [...path])
    } catch {
      return DEFAULT_CENSOR
    }
  }
}
