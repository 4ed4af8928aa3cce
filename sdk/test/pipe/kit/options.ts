import type { Drop } from '../../../src/pipe/counters.ts'
import type { PipeOptions } from '../../../src/pipe/options.ts'
import { createPipe, type Pipe } from '../../../src/pipe/pipe.ts'
import type { SpillOptions } from '../../../src/spill/options.ts'
import type { Destination } from '../../../src/transport/destination.ts'
import { RESOURCE } from './records.ts'

export const NO_TLS = { certificate: undefined, clientKey: undefined, clientCertificate: undefined }

export const destination = (url: string, more: Partial<Destination> = {}): Destination => ({
  protocol: 'http/protobuf',
  url,
  headers: {},
  compression: 'none',
  timeoutMillis: 5000,
  tls: NO_TLS,
  ...more,
})

export const spill = (directory: string, more: Partial<SpillOptions> = {}): SpillOptions => ({
  directory,
  maxBytes: 64 * 2 ** 20,
  windowMillis: Number.POSITIVE_INFINITY,
  sync: false,
  ...more,
})

type Parts = { readonly [K in 'batch' | 'queue' | 'retry']?: Partial<PipeOptions[K]> }

/** Options of a pipe that is quick to send and to try again. */
export interface QuickOptions extends Parts, Partial<Omit<PipeOptions, keyof Parts | 'destination'>> {
  readonly destination: Destination
}

export function pipeOptions({ batch, queue, retry, ...options }: QuickOptions): PipeOptions {
  return {
    resource: RESOURCE,
    batch: { maxRecords: 512, maxBytes: 256 * 1024, delayMillis: 20, ...batch },
    queue: { maxBytes: 32 * 2 ** 20, maxRecords: Number.POSITIVE_INFINITY, overflow: 'drop', ...queue },
    retry: { initialMillis: 20, maxMillis: 100, budgetMillis: 20_000, ...retry },
    spill: undefined,
    exitHooks: false,
    flushTimeoutMillis: 10_000,
    onDrop: undefined,
    diagnostics: { warn() {} },
    ...options,
  }
}

/** A pipe, what it told, and its end with the test. */
export interface TestPipe extends Pipe, AsyncDisposable {
  readonly drops: readonly Drop[]
  readonly lines: readonly string[]
}

export function startPipe(options: QuickOptions): TestPipe {
  const drops: Drop[] = []
  const lines: string[] = []
  const pipe = createPipe(
    pipeOptions({
      onDrop: (drop) => drops.push(drop),
      diagnostics: { warn: (kind, message) => lines.push(`${kind}: ${message}`) },
      ...options,
    }),
  )
  return {
    accept: (...record) => pipe.accept(...record),
    flush: (timeout) => pipe.flush(timeout),
    shutdown: (timeout) => pipe.shutdown(timeout),
    counters: pipe.counters,
    get waiting() {
      return pipe.waiting
    },
    drops,
    lines,
    [Symbol.asyncDispose]: async () => void (await pipe.shutdown(0)),
  }
}

/** Records that are lost, for whatever reason. */
export const lostBy = ({ counters }: Pick<Pipe, 'counters'>): number =>
  Object.values(counters.dropped).reduce((sum, count) => sum + count, 0)
