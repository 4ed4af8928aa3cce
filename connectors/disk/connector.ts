import { Codec } from '../../src/buffer/codec.ts'
import { GroupCommit } from '../../src/buffer/group-commit.ts'
import { sharedHealth } from '../../src/buffer/shared-health.ts'
import { unlessAborted } from '../../src/buffer/unless-aborted.ts'
import { type DeadLetters, type Lease, RetryableError, type SpillConnector } from '../../src/component.ts'
import type { ComponentContext } from '../../src/define.ts'
import type { LogBatch } from '../../src/logs/batch.ts'
import { DiskAdmin } from './admin.ts'
import { AdminServer } from './admin-server.ts'
import { Condition } from './condition.ts'
import type { DiskConfig } from './config.ts'
import { addGauges, type Counters, makeCounters } from './metrics.ts'
import { Space } from './space.ts'
import { openStore, type Store } from './store.ts'

type Context = ComponentContext & { readonly groups: readonly string[] }

/** A buffer in a folder; see `store.ts` for what is in it. */
export class DiskConnector implements SpillConnector {
  readonly #config: DiskConfig
  readonly #context: Context
  readonly #codec: Codec
  readonly #space: Space
  readonly #commit: GroupCommit
  readonly #counters: Counters
  readonly #condition: Condition
  #store: Store | undefined
  #admin: AdminServer | undefined
  #stopping = false

  constructor(config: DiskConfig, context: Context) {
    this.#config = config
    const { own, trouble } = sharedHealth(context.health)
    this.#context = { ...context, health: own }
    this.#codec = new Codec(config, { log: context.log, metrics: context.metrics, trouble })
    this.#counters = makeCounters(context.metrics, context.groups)
    this.#condition = new Condition(this.#context)
    this.#space = new Space({
      config,
      used: () => this.#used(),
      short: (problem) => {
        this.#condition.set('push', problem)
        this.#trim()
      },
    })
    this.#commit = new GroupCommit({
      elementBytes: config.element_size,
      lingerMs: config.linger,
      pack: (requests) => this.#codec.pack(requests),
      maxPendingBytes: config.max_pending,
      write: async (element) => {
        if (this.#store === undefined) throw this.#notOpen()
        this.#space.writing(element.bytes.length)
        try {
          await this.#store.storage.append(element)
        } finally {
          this.#space.written(element.bytes.length)
        }
      },
    })
    addGauges(context, { store: () => this.#store, space: this.#space, commit: this.#commit })
  }

  async start(): Promise<void> {
    this.#context.health('starting')
    this.#stopping = false
    this.#codec.start()
    const store = await openStore(this.#config, this.#context, this.#codec, {
      lost: (bytes) => this.#counters.corrupt.inc(bytes),
      acked: (group, count) => this.#counters.acked(group, count),
      undecodable: (group) => this.#counters.undecodable(group),
      poison: (group) => this.#counters.poison(group),
      fenced: () => this.#counters.fenced(),
      unreadable: (group, message) => {
        if (message !== undefined) this.#counters.unreadable(group)
        this.#condition.set('read', message === undefined ? undefined : { reason: 'disk', message }, group)
      },
      moved: () => this.#trim(),
    })
    try {
      this.#store = store
      await this.#space.start()
    } catch (error) {
      this.#store = undefined
      await store.close()
      throw error
    }
    const admin = new DiskAdmin({ store, config: this.#config, codec: this.#codec, close: async () => {} })
    this.#admin = await AdminServer.start(this.#config.directory, admin, this.#context.log)
    this.#condition.tell()
  }

  async stop(deadline: AbortSignal): Promise<void> {
    if (this.#store === undefined || this.#stopping) return
    this.#stopping = true
    this.#context.health('stopping')
    this.#space.stop()
    this.#codec.stop()
    await this.#admin?.stop()
    this.#commit.flush()
    await unlessAborted(this.#store.close(), deadline)
  }

  readonly push = async (batch: LogBatch, signal: AbortSignal): Promise<void> => {
    const records = batch.size
    if (records === 0) return
    try {
      const { key } = this.#opened()
      if (this.#context.groups.length === 0) {
        throw new RetryableError('no pipeline reads from the buffer', { reason: 'unread' })
      }
      if (signal.aborted) throw new RetryableError('the sender has gone', { reason: 'cancelled' })
      this.#space.admit(this.#commit.pendingBytes + batch.byteLength)
      batch.identify(key)
      await this.#commit.add(batch)
    } catch (error) {
      const reason = error instanceof RetryableError ? error.reason : 'error'
      this.#counters.refused(reason, records)
      if (reason === 'disk') this.#condition.set('push', error as RetryableError)
      throw error
    }
    this.#counters.pushed.inc(records)
    if (!this.#space.isShort) this.#condition.set('push', undefined)
  }

  async *leases(group: string, signal: AbortSignal): AsyncGenerator<Lease, void, undefined> {
    const found = this.#opened().groups.get(group)
    if (found === undefined) throw new Error(`no pipeline "${group}" reads from ${this.#context.id}`)
    yield* found.leases(signal)
  }

  async bury(letters: DeadLetters): Promise<void> {
    if (letters.batch.size === 0) return
    const { key, dead } = this.#opened()
    letters.batch.identify(key)
    await dead.bury(letters)
  }

  identity(): Buffer | undefined {
    return this.#store?.key
  }

  adoptIdentity(key: Buffer): Promise<void> {
    return this.#opened().adopt(key)
  }

  held(group: string): number {
    return this.#store?.groups.get(group)?.held.records ?? 0
  }

  #opened(): Store {
    if (this.#store !== undefined && !this.#stopping) return this.#store
    throw this.#notOpen()
  }

  #notOpen(): RetryableError {
    return new RetryableError(`${this.#config.directory} is not open`, { reason: 'stopping' })
  }

  /** What has been delivered to all does not count, even though its file may still be there. */
  #used(): number {
    if (this.#store === undefined) return 0
    const { storage, passed } = this.#store
    return passed.elements >= storage.end.elements ? 0 : storage.bytes
  }

  #trim(): void {
    if (this.#store === undefined) return
    const { storage, passed } = this.#store
    const { elements } = passed
    if (!this.#space.isShort) storage.trim(elements)
    else
      storage.trimAll(elements).catch((err: unknown) => {
        this.#context.log.warn({ err }, 'the last segment could not be closed')
      })
  }
}
