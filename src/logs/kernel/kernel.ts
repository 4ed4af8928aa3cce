import { KERNEL } from './module.ts'

/** What the WebAssembly module exports; assembly/ says what each does. */
interface Exports {
  readonly memory: WebAssembly.Memory
  readonly check: (size: number) => number
  readonly resourceCount: () => number
  readonly scopeCount: () => number
  readonly contextLongInts: () => number
  readonly digitRuns: (size: number) => number
  readonly INPUT: WebAssembly.Global
  readonly INPUT_SIZE: WebAssembly.Global
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
  readonly #bytes: Uint8Array
  readonly #input: number
  readonly #inputSize: number
  #loaded: Buffer | undefined

  constructor() {
    const module = new WebAssembly.Module(Buffer.from(KERNEL, 'base64'))
    this.exports = new WebAssembly.Instance(module).exports as Exports
    this.#bytes = new Uint8Array(this.exports.memory.buffer)
    this.#input = this.exports.INPUT.value
    this.#inputSize = this.exports.INPUT_SIZE.value
  }

  /** Makes `bytes` the input, copying them once; false when they are too many. Nobody may change them afterwards. */
  load(bytes: Buffer): boolean {
    if (this.#loaded === bytes) return true
    if (bytes.length > this.#inputSize) return false
    this.#bytes.set(bytes, this.#input)
    this.#loaded = bytes
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
