import type { RedisClient } from '../connection/client.ts'
import type { Naming } from './naming.ts'
import { CLEAN, FORGET, HOME, REGISTER } from './registry-scripts.ts'
import type { ClientOf } from './streams.ts'

/** Takes the records for which there are streams enough. */
export const OVERFLOW = 'overflow'
/** An entry this young cannot be forgotten: whoever pushes renews it when it is older. */
const RENEWAL = 60_000
/** An entry that nobody renewed for this long is forgotten once the stream is empty. Much longer than RENEWAL. */
const FORGOTTEN_AFTER = 15 * 60_000

interface Entry {
  readonly version: string
  /** Since when it has been seen with this version; of this process' own steady clock. */
  readonly since: number
}

interface Registration {
  readonly server: string | undefined
  readonly steady: number
  readonly wall: number
}

export interface RegistryOptions {
  readonly client: RedisClient
  readonly clientOf: ClientOf
  readonly naming: Naming
  readonly maxStreams: number
}

/**
 * Which streams there are, for drains that start later or elsewhere. A stream is in the registry before something is
 * pushed into it, and what is pushed is acknowledged only after an entry that was made, or renewed, less than a minute
 * before. It leaves the registry when it is empty and its entry has not been renewed for much longer. So no order of
 * events takes a stream out that holds something acknowledged.
 */
export class Registry {
  readonly #options: RegistryOptions
  /** As last read, by name. */
  #entries: ReadonlyMap<string, Entry> = new Map()
  /** What this process has registered. */
  readonly #own = new Map<string, Registration>()
  #names: readonly string[]
  #full = false

  constructor(options: RegistryOptions) {
    this.#options = options
    const { fixed } = options.naming.template
    this.#names = fixed === undefined ? [] : [fixed]
  }

  /** The streams there are; another array only where they are others. */
  get names(): readonly string[] {
    return this.#names
  }

  /** Reads the registry, and returns the identity key. */
  async refresh(newKey: Buffer): Promise<Buffer> {
    const { client, naming } = this.#options
    const reply = await client.run(HOME, [naming.identity, naming.streams], [newKey])
    const [identity, list] = reply as [Buffer, Buffer[]]
    this.#read(list)
    this.#full = false
    for (const [name, { steady }] of this.#own) {
      if (performance.now() - steady > FORGOTTEN_AFTER) this.#own.delete(name)
    }
    return identity
  }

  /** The stream for what a template calls `name`: itself, or where there are too many, the overflow stream. */
  async admit(name: string): Promise<string> {
    if (this.#entries.has(name) || this.#own.has(name)) return name
    if (!this.#full && (await this.#register(name, this.#options.maxStreams))) return name
    if (!this.#entries.has(OVERFLOW)) await this.confirm(OVERFLOW)
    return OVERFLOW
  }

  /** Resolves once the stream is registered for some time to come: after a push, and before its acknowledgement. */
  async confirm(name: string): Promise<void> {
    const own = this.#own.get(name)
    const fresh =
      own !== undefined &&
      own.server === this.#options.client.server &&
      performance.now() - own.steady < RENEWAL &&
      Math.abs(Date.now() - own.wall) < RENEWAL
    if (!fresh) await this.restore(name)
  }

  /** Registers a stream, however many there are. */
  async restore(name: string): Promise<void> {
    await this.#register(name, 0)
  }

  /** Takes the streams out that have long been idle, and are empty. Returns their names. */
  async forgetIdle(now = performance.now()): Promise<readonly string[]> {
    const { client, clientOf, naming } = this.#options
    const forgotten: string[] = []
    for (const [name, { version, since }] of this.#entries) {
      if (now - since < FORGOTTEN_AFTER) continue
      const keys = observedKeys(naming, name)
      if ((await (await clientOf(keys[0])).run(CLEAN, keys, [])) !== 1) continue
      if ((await client.run(FORGET, [naming.streams], [name, version])) === 1) forgotten.push(name)
    }
    return forgotten
  }

  async #register(name: string, most: number): Promise<boolean> {
    const { client, naming } = this.#options
    // Taken before the command is sent: the entry is younger than that.
    const registration = { server: client.server, steady: performance.now(), wall: Date.now() }
    const reply = await client.run(REGISTER, [naming.streams], [name, most])
    if (reply === 1) {
      this.#own.set(name, registration)
      return true
    }
    // From now to the next look at the registry, a second away at most, what is not in it need not be asked for.
    this.#read(reply as Buffer[])
    this.#full = true
    return false
  }

  #read(list: readonly Buffer[]): void {
    const entries = new Map<string, Entry>()
    for (let i = 0; i < list.length; i += 2) {
      const [name, version] = [list[i].toString(), list[i + 1].toString()]
      const before = this.#entries.get(name)
      entries.set(name, before?.version === version ? before : { version, since: performance.now() })
    }
    this.#entries = entries
    const names = [...entries.keys()].toSorted()
    if (this.#options.naming.template.fixed === undefined && String(names) !== String(this.#names))
      this.#names = names
  }
}

/** The keys of OBSERVE and CLEAN. */
export function observedKeys(naming: Naming, stream: string): string[] {
  const keys = naming.keys(stream)
  return [
    keys.dead,
    keys.deadStats,
    keys.queues,
    ...naming.groups.flatMap((group) => [
      keys.queue(group),
      keys.stats(group),
      keys.workers(group),
      keys.settled(group),
      keys.inflight(group),
    ]),
  ]
}
