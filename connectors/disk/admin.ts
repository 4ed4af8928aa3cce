import type { BufferAdmin, BufferStats, KeptLetter, QueueName } from '../../src/buffer/admin.ts'
import type { Codec } from '../../src/buffer/codec.ts'
import type { Element } from '../../src/buffer/group-commit.ts'
import { packed } from '../../src/buffer/letters.ts'
import type { LogBatch } from '../../src/logs/batch.ts'
import { addressed, readAddress } from './addressed.ts'
import type { DiskConfig } from './config.ts'
import type { Group } from './group.ts'
import { LogReader } from './log-reader.ts'
import type { Place } from './removed.ts'
import type { StoredElement } from './segment.ts'
import type { Store } from './store.ts'

export interface DiskAdminOptions {
  readonly store: Store
  readonly config: DiskConfig
  readonly codec: Codec
  close(): Promise<void>
}

/** Administers the folder that this process has open. */
export class DiskAdmin implements BufferAdmin {
  readonly codec: Codec
  readonly elementBytes: number
  readonly #options: DiskAdminOptions

  constructor(options: DiskAdminOptions) {
    this.#options = options
    this.codec = options.codec
    this.elementBytes = options.config.element_size
  }

  async stats(): Promise<BufferStats> {
    const { store, config } = this.#options
    const { storage, groups, dead } = store
    const queues = [...groups].map(([group, { held, inFlight, ageMs }]) => ({
      stream: '',
      group,
      ...held,
      inFlight,
      oldestMs: held.elements === 0 ? undefined : Date.now() - ageMs,
      pushed: storage.end.records,
      left: storage.end.records - held.records,
    }))
    return {
      queues,
      dead: [{ stream: '', ...dead.held }],
      room: { used: storage.bytes, limit: config.max_bytes },
    }
  }

  async peek({ group }: QueueName, limit: number): Promise<Buffer[]> {
    const { storage } = this.#options.store
    const reader = new LogReader(storage, this.#group(group).position.elements)
    const elements: Buffer[] = []
    try {
      while (elements.length < limit) {
        const found = await reader.next()
        if (found === undefined) break
        const { group: only, element } = readAddress(found.payload)
        if (only === undefined || only === group) elements.push(element)
      }
    } finally {
      await reader.end()
    }
    return elements
  }

  purge({ group }: QueueName) {
    return this.#group(group).purge()
  }

  async *letters(): AsyncGenerator<KeptLetter, void, undefined> {
    const { dead } = this.#options.store
    for await (const stored of dead.read(0, dead.end)) yield letterOf(stored)
  }

  /** Where the dead letters that are there now end. */
  get lettersEnd(): number {
    return this.#options.store.dead.end
  }

  /** The letters of numbers in `[from, end)`, up to about so many bytes: for those who cannot hold an iterator. */
  async lettersFrom(from: number, end: number, bytes: number): Promise<KeptLetter[]> {
    const letters: KeptLetter[] = []
    let size = 0
    for await (const stored of this.#options.store.dead.read(from, end)) {
      letters.push(letterOf(stored))
      size += stored.payload.length
      if (size >= bytes) break
    }
    return letters
  }

  replay({ key }: KeptLetter, { group }: QueueName, elements: readonly Element[]): Promise<boolean> {
    this.#group(group)
    return this.#options.store.dead.remove(placeOf(key), () => this.append(group, elements))
  }

  drop({ key }: KeptLetter): Promise<boolean> {
    return this.#options.store.dead.remove(placeOf(key), async () => {})
  }

  enqueue(group: string, batch: LogBatch): Promise<void> {
    return this.append(group, packed(batch, this.codec, this.elementBytes))
  }

  /** Puts elements at the end of the queue of one pipeline; resolves once they are durable. */
  async append(group: string, elements: readonly Element[]): Promise<void> {
    const { storage, groups } = this.#options.store
    this.#group(group)
    const toGroup = (bytes: Buffer): Buffer => (groups.size > 1 ? addressed(group, bytes) : bytes)
    await Promise.all(
      elements.map(({ bytes, records }) => storage.append({ bytes: toGroup(bytes), records })),
    )
  }

  close(): Promise<void> {
    return this.#options.close()
  }

  #group(name: string): Group {
    const group = this.#options.store.groups.get(name)
    if (group !== undefined) return group
    throw new Error(`no pipeline "${name}" reads from ${this.#options.config.directory}`)
  }
}

/** The element number comes first: readers begin at one. */
function letterOf({ position, end, payload }: StoredElement): KeptLetter {
  const numbers = [position.elements, position.records, position.bytes, end.records, end.bytes]
  return { key: numbers.join('.'), stream: '', element: payload }
}

function placeOf(key: string): Place {
  const numbers = key.split('.').map(Number)
  const [elements, records, bytes, endRecords, endBytes] = numbers
  if (numbers.length !== 5 || !numbers.every(Number.isSafeInteger)) {
    throw new Error(`${JSON.stringify(key)} is no place of a dead letter`)
  }
  return {
    position: { elements, records, bytes },
    end: { elements: elements + 1, records: endRecords, bytes: endBytes },
  }
}
