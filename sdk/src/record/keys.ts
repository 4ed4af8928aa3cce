import { cutText } from './cut.ts'
import { KeyValue } from './fields.ts'
import type { Masks } from './redact/detectors.ts'
import { WireWriter } from './wire-writer.ts'
import { type Words, wordsOf } from './words.ts'

const MAX_KEYS = 4096
/** Longer keys are rare, and mostly data. */
const MAX_KEPT = 128
const MAX_LENGTH = 256

/** The keys of attributes as bytes: an application has few and writes them often. */
export class KeyCache {
  readonly #masks: Masks | undefined
  readonly #writer = new WireWriter(256)
  #known = new Map<string, Words>()

  constructor(masks: Masks | undefined) {
    this.#masks = masks
  }

  /** The field `key` of a KeyValue. */
  words(key: string): Words {
    return this.#known.get(key) ?? this.#make(key)
  }

  #make(key: string): Words {
    const writer = this.#writer
    writer.pos = 0
    writer.byte(KeyValue.key)
    const text = this.#masks === undefined ? key : this.#masks.text(cutText(key, MAX_LENGTH))
    writer.text(cutText(text, MAX_LENGTH))
    const words = wordsOf(writer.slice(0))
    if (key.length <= MAX_KEPT) {
      // Keys that are data would fill it for good.
      if (this.#known.size === MAX_KEYS) this.#known = new Map()
      this.#known.set(key, words)
    }
    return words
  }
}
