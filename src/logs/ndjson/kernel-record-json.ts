import type { Kernel } from '../kernel/kernel.ts'
import type { JsonWriter } from './json-writer.ts'
import { RecordJson } from './record-json.ts'

/** Writes records as SDKs write them in the kernel, where `out` writes to its output; all others in TypeScript. */
export class KernelRecordJson extends RecordJson {
  readonly #kernel: Kernel
  readonly #output: number
  /** The record that the kernel has read, or none. */
  #bytes: Buffer | undefined
  #start = 0
  #end = 0
  /** What the kernel's context holds. */
  #dataStream: Buffer | undefined
  #context: Buffer | undefined

  constructor(kernel: Kernel) {
    super('epoch_millis')
    this.#kernel = kernel
    this.#output = kernel.exports.OUTPUT.value
  }

  override begin(bytes: Buffer): void {
    super.begin(bytes)
    this.#kernel.load(bytes)
    // Others may have written there since.
    this.#dataStream = this.#context = undefined
  }

  override read(bytes: Buffer, start: number, end: number): boolean {
    const base = this.#kernel.addressOf(bytes)
    const read = base !== -1 && this.#kernel.exports.readRecord(base + start, base + end) !== 0
    this.#bytes = read ? bytes : undefined
    this.#start = start
    this.#end = end
    return read ? false : super.read(bytes, start, end)
  }

  override write(out: JsonWriter, dataStream: Buffer, context: Buffer, receivedMs: number): number {
    if (this.#bytes !== undefined) {
      const end = this.#writeInKernel(out, dataStream, context, receivedMs)
      if (end !== -1) {
        out.pos = end - this.#output
        return this.#kernel.exports.timeMs()
      }
      super.read(this.#bytes, this.#start, this.#end)
    }
    return super.write(out, dataStream, context, receivedMs)
  }

  #writeInKernel(out: JsonWriter, dataStream: Buffer, context: Buffer, receivedMs: number): number {
    const { output, exports } = this.#kernel
    if (out.bytes !== output) return -1
    if (dataStream !== this.#dataStream || context !== this.#context) {
      if (!this.#kernel.fill(exports.CONTEXT, exports.CONTEXT_SIZE, dataStream, context)) return -1
      this.#dataStream = dataStream
      this.#context = context
    }
    return exports.writeRecord(this.#output + out.pos, dataStream.length, context.length, receivedMs)
  }
}
