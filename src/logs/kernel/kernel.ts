import { writeDouble } from '../ndjson/double.ts'
import { KERNEL } from './module.ts'

/** What the WebAssembly module exports; assembly/ says what each does. */
interface Exports {
  readonly memory: WebAssembly.Memory
  readonly check: (size: number) => number
  readonly resourceCount: () => number
  readonly scopeCount: () => number
  readonly contextLongInts: () => number
  readonly attributesMet: () => number
  readonly keyMet: () => number
  readonly valueMet: () => number
  readonly bodyMet: () => number
  readonly digitRuns: (size: number) => number
  readonly readRecord: (start: number, end: number) => number
  readonly writeRecord: (
    out: number,
    dataStreamSize: number,
    contextSize: number,
    receivedMs: number,
  ) => number
  readonly timeMs: () => number
  readonly INPUT: WebAssembly.Global
  readonly INPUT_SIZE: WebAssembly.Global
  readonly ASIDE: WebAssembly.Global
  readonly ASIDE_SIZE: WebAssembly.Global
  readonly CONTEXT: WebAssembly.Global
  readonly CONTEXT_SIZE: WebAssembly.Global
  readonly OUTPUT: WebAssembly.Global
  readonly OUTPUT_SIZE: WebAssembly.Global
  readonly RECORDS: WebAssembly.Global
  readonly SCOPES: WebAssembly.Global
  readonly RESOURCES: WebAssembly.Global
  readonly HITS: WebAssembly.Global
}

/**
 * The innermost loops, compiled to WebAssembly with SIMD, over memory of their own. They do what TypeScript here
 * does as well, for what is usual; where they give up, for errors too, that is asked.
 */
export class Kernel {
  readonly exports: Exports
  /** What is written: `writeJson` lends it to one writer at a time. */
  readonly output: Buffer
  readonly #bytes: Buffer
  readonly #input: number
  readonly #inputSize: number
  readonly #asideAt: number
  readonly #asideSize: number
  #loaded: Buffer | undefined
  #aside: Buffer | undefined

  constructor() {
    const module = new WebAssembly.Module(Buffer.from(KERNEL, 'base64'))
    this.exports = new WebAssembly.Instance(module, {
      'json-number': { writeDouble: (value: number, out: number) => writeDouble(this.#bytes, out, value) },
    }).exports as Exports
    const { memory, INPUT, INPUT_SIZE, ASIDE, ASIDE_SIZE, OUTPUT, OUTPUT_SIZE } = this.exports
    this.#bytes = Buffer.from(memory.buffer)
    this.output = Buffer.from(memory.buffer, OUTPUT.value, OUTPUT_SIZE.value)
    this.#input = INPUT.value
    this.#inputSize = INPUT_SIZE.value
    this.#asideAt = ASIDE.value
    this.#asideSize = ASIDE_SIZE.value
  }

  /** Makes `bytes` the input, copying them once; false when they are too many. Nobody may change them afterwards. */
  load(bytes: Buffer): boolean {
    if (this.#loaded === bytes) return true
    if (bytes.length > this.#inputSize) return false
    this.#bytes.set(bytes, this.#input)
    this.#loaded = bytes
    return true
  }

  /**
   * The address of the first of `bytes`: they are the input, or copied next to it. -1 when they are too many.
   * Nobody may change them afterwards.
   */
  addressOf(bytes: Buffer): number {
    if (bytes === this.#loaded) return this.#input
    if (bytes !== this.#aside) {
      if (bytes.length > this.#asideSize) return -1
      this.#bytes.set(bytes, this.#asideAt)
      this.#aside = bytes
    }
    return this.#asideAt
  }

  /** Puts bytes into a region; false when they are too many. */
  fill(region: WebAssembly.Global, size: WebAssembly.Global, ...pieces: readonly Buffer[]): boolean {
    if (pieces.reduce((sum, { length }) => sum + length, 0) > size.value) return false
    let at = region.value
    for (const piece of pieces) {
      this.#bytes.set(piece, at)
      at += piece.length
    }
    return true
  }

  /** A copy of the first `length` integers of a region. */
  integers(region: WebAssembly.Global, length: number): Int32Array {
    return new Int32Array(this.exports.memory.buffer, region.value, length).slice()
  }
}

/** Undefined where the machine has no SIMD, and where `SLUICE_KERNEL=off` asks for TypeScript alone. */
export const kernel = process.env.SLUICE_KERNEL === 'off' ? undefined : load()

function load(): Kernel | undefined {
  try {
    return new Kernel()
  } catch {
    return undefined
  }
}
