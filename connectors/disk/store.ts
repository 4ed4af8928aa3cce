import { join } from 'node:path'
import type { Codec } from '../../src/buffer/codec.ts'
import type { ComponentContext } from '../../src/define.ts'
import { makeDirectory, syncDirectory } from '../../src/files.ts'
import { FolderLock } from '../../src/folder-lock.ts'
import type { DiskConfig } from './config.ts'
import { Cursor, forgetGroup, groupsIn } from './cursor.ts'
import { DeadLetters } from './dead-letters.ts'
import { Group } from './group.ts'
import { identityKey, keepIdentityKey } from './identity-key.ts'
import { Log, segmentBytes } from './log.ts'
import { BEGINNING, earlier, later, type Position } from './position.ts'
import { Quarantine } from './quarantine.ts'

/**
 * The folder of a buffer, open: one log, and for every group a cursor in it.
 *
 * ```
 * lock                      who uses the folder
 * identity.key              what batch ids are made with
 * 0000000000001234.seg      a segment of the log: see segment.ts
 * cursor-logs%2Fdrain       how far a group has come, and what failed: see cursor.ts
 * dead/                     the log of dead letters, and in `removed` which of them are gone: see removed.ts
 * admin.sock                where the process inside listens to commands
 * *.corrupt                 what could not be read
 * ```
 */
export interface Store {
  /** What batch ids are made with. */
  readonly key: Buffer
  /** Resolves once another key has taken its place, for good. */
  adopt(key: Buffer): Promise<void>
  readonly storage: Log
  readonly groups: ReadonlyMap<string, Group>
  readonly dead: DeadLetters
  /** Before it every group has settled everything. Without groups nothing is passed: what is there waits for one. */
  readonly passed: Position
  close(): Promise<void>
}

interface Observer {
  /** Told how many bytes turned out to be damaged. */
  readonly lost: (bytes: number) => void
  readonly acked: (group: string, records: number) => void
  readonly undecodable: (group: string) => void
  readonly poison: (group: string) => void
  readonly fenced: () => void
  readonly unreadable: (group: string, problem: string | undefined) => void
  readonly moved: () => void
}

/**
 * Opens the folder, which nobody else may have open. A group that is new begins with the oldest element that is
 * still there. What is known of groups that the config no longer has is deleted: nobody would ever read for them.
 */
export async function openStore(
  config: DiskConfig,
  context: ComponentContext & { readonly groups: readonly string[] },
  codec: Codec,
  observer: Observer,
): Promise<Store> {
  const { directory } = config
  await makeDirectory(directory)
  const opened: { close(): Promise<void> }[] = []
  const close = async (): Promise<void> => {
    const errors: unknown[] = []
    for (const part of opened.splice(0).reverse())
      await part.close().catch((error: unknown) => errors.push(error))
    if (errors.length > 0) throw errors[0]
  }
  try {
    const lock = await FolderLock.take({
      path: join(directory, 'lock'),
      directory,
      advice: 'a buffer on disk belongs to one, give each a directory of its own',
    })
    opened.push({ close: () => lock.release() })
    let key = await identityKey(directory)
    const cursors = await openCursors(config, context)
    opened.push(...cursors.values())
    const atLeast = [...cursors.values()].reduce((latest, { position }) => later(latest, position), BEGINNING)
    const { log } = context
    const { lost, fenced } = observer
    const quarantine = new Quarantine({ log, lost, limits: config })
    const storage = await Log.open({
      directory,
      segmentBytes: segmentBytes(config.segment_size, config.max_bytes),
      atLeast,
      log,
      quarantine,
      fenced,
    })
    opened.push(storage)
    const dead = await DeadLetters.open(config, context, { codec, quarantine, fenced })
    opened.push(dead)
    const groups = new Map<string, Group>()
    for (const name of context.groups) {
      const cursor = cursors.get(name) ?? (await Cursor.create(directory, name, storage.start))
      if (!cursors.has(name)) opened.push(cursor)
      // Segments before the oldest one were deleted because all had passed them.
      if (cursor.position.elements < storage.start.elements) await cursor.save(storage.start)
      const group = new Group({
        name,
        storage,
        cursor,
        key,
        codec,
        windowBytes: config.prefetch * config.element_size,
        maxDeliveries: config.max_deliveries,
        log,
        buryRaw: async (stored, poison) => {
          await dead.buryRaw(stored, name)
          if (poison) observer.poison(name)
          else observer.undecodable(name)
        },
        buryPoison: async (letters) => {
          await dead.bury(letters)
          observer.poison(name)
        },
        unreadable: (problem) => observer.unreadable(name, problem),
        acked: (records) => observer.acked(name, records),
        moved: observer.moved,
      })
      opened.push(group)
      await group.open()
      groups.set(name, group)
    }
    await syncDirectory(directory)
    const store: Store = {
      get key() {
        return key
      },
      async adopt(other) {
        if (!other.equals(key)) await keepIdentityKey(directory, other)
        key = other
      },
      storage,
      groups,
      dead,
      close,
      get passed() {
        const from = groups.size === 0 ? storage.start : storage.end
        return [...groups.values()].reduce((least, { position }) => earlier(least, position), from)
      },
    }
    storage.trim(store.passed.elements)
    return store
  } catch (error) {
    await close().catch(() => {})
    throw error
  }
}

async function openCursors(
  { directory }: DiskConfig,
  { groups, log }: ComponentContext & { readonly groups: readonly string[] },
): Promise<Map<string, Cursor>> {
  const cursors = new Map<string, Cursor>()
  for (const group of await groupsIn(directory)) {
    if (groups.includes(group)) {
      const cursor = await Cursor.open(directory, group)
      if (cursor) cursors.set(group, cursor)
      continue
    }
    await forgetGroup(directory, group)
    log.warn(
      { group },
      'no pipeline of this name reads from the buffer any more: its place in it is forgotten',
    )
  }
  return cursors
}
