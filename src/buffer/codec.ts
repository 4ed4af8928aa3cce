import type { Logger } from 'pino'
import type { LogBatch } from '../logs/batch.ts'
import { memory } from '../memory.ts'
import type { ComponentMetrics } from '../telemetry/metrics.ts'
import type { EncryptionConfig } from './config.ts'
import { type Compression, openElement, packElement } from './element.ts'
import { Keys } from './keys.ts'
import { MissingKeyError, Opener, Sealer, type SealKey } from './seal.ts'

/** After so long without meeting an element whose key is missing, all is well again. */
const TROUBLE_MS = 15_000

export interface Packing {
  readonly compression: Compression
  readonly compression_level: number
  readonly encryption?: EncryptionConfig | undefined
}

export interface CodecContext {
  readonly log: Logger
  /** Counts what packing saves; a command counts nothing. */
  readonly metrics?: ComponentMetrics
  /** Told what is wrong when a key is missing, and undefined when that is over; a command says so itself. */
  readonly trouble?: (problem: string | undefined) => void
}

/** Turns requests into elements of a buffer and back, as its settings say. */
export class Codec {
  readonly #packing: Packing
  readonly #context: CodecContext
  readonly #opener: Opener
  readonly #count: (before: number, after: number) => void
  #keys: Keys | undefined
  #sealer: { readonly key: SealKey; readonly sealer: Sealer } | undefined
  #trouble: NodeJS.Timeout | undefined

  constructor(packing: Packing, context: CodecContext) {
    this.#packing = packing
    this.#context = context
    this.#opener = new Opener((fingerprint) => this.#keys?.find(fingerprint))
    this.#count = counting(context.metrics)
  }

  /** Reads the keys. @throws when one of the files holds none */
  start(): void {
    const { encryption } = this.#packing
    if (encryption !== undefined) this.#keys ??= new Keys(encryption, this.#context.log)
  }

  stop(): void {
    clearTimeout(this.#trouble)
  }

  /** The result shares nothing with `requests`, and may be given to `memory`. */
  pack(requests: Buffer): Buffer {
    const { compression, compression_level, encryption } = this.#packing
    const packed = packElement(requests, compression, compression_level)
    const element = encryption === undefined ? packed : this.#seal(packed)
    this.#count(requests.length, element.length)
    return element
  }

  /** @throws MalformedError when the element is none, MissingKeyError when the key to it is not here */
  open(element: Buffer): LogBatch {
    try {
      return openElement(element, this.#opener)
    } catch (error) {
      if (error instanceof MissingKeyError) this.#miss(error)
      throw error
    }
  }

  #seal(packed: Buffer): Buffer {
    const key = this.#keys?.sealing
    // Never in clear what was to be sealed.
    if (key === undefined) throw new Error('the keys were not read yet')
    if (this.#sealer?.key !== key) this.#sealer = { key, sealer: new Sealer(key) }
    const sealed = this.#sealer.sealer.seal(packed)
    memory.give(packed)
    return sealed
  }

  #miss(error: MissingKeyError): void {
    const { log, trouble } = this.#context
    if (trouble === undefined) return
    if (this.#trouble === undefined) log.error(error.message)
    clearTimeout(this.#trouble)
    trouble(error.message)
    this.#trouble = setTimeout(() => {
      this.#trouble = undefined
      trouble(undefined)
    }, TROUBLE_MS).unref()
  }
}

function counting(metrics: ComponentMetrics | undefined): (before: number, after: number) => void {
  if (metrics === undefined) return () => {}
  const before = metrics.counter(
    'sluice_buffer_uncompressed_bytes_total',
    'Bytes of the requests that elements of the buffer and dead letters were made of.',
  )
  const after = metrics.counter(
    'sluice_buffer_stored_bytes_total',
    'Bytes of those elements as stored: compressed, and sealed where that is set.',
  )
  return (unpacked, stored) => {
    before.inc(unpacked)
    after.inc(stored)
  }
}
