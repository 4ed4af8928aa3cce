import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { Gathered, type StoreKind } from './store.ts'

/** What is used of `lmdb`. */
interface Lmdb {
  readonly open: (options: object) => {
    transaction(work: () => void): Promise<void>
    put(key: number, value: Buffer): unknown
    remove(key: number): unknown
    getRange(options: object): Iterable<{ key: number; value: Buffer }>
    readonly flushed: Promise<unknown>
    close(): Promise<void>
  }
}

/** What is used of `classic-level`. */
interface Level {
  readonly ClassicLevel: new (
    folder: string,
    options: object,
  ) => {
    open(): Promise<void>
    batch(operations: readonly object[], options?: object): Promise<void>
    iterator(options: object): { all(): Promise<[string, Buffer][]> }
    keys(options: object): { all(): Promise<string[]> }
    close(): Promise<void>
  }
}

/** Stores of packages that are no dependencies of ours: those that are installed in a folder of the caller's. */
export function storesIn(folder: string, missing: (name: string) => void): StoreKind[] {
  const load = createRequire(join(resolve(folder), 'package.json'))
  const stores: StoreKind[] = []
  for (const [name, make] of [
    ['lmdb', (found: unknown) => lmdb(found as Lmdb)],
    ['classic-level', (found: unknown) => level(found as Level)],
  ] as const) {
    try {
      stores.push(make(load(name)))
    } catch {
      missing(name)
    }
  }
  return stores
}

const lmdb = ({ open }: Lmdb): StoreKind => ({
  name: 'LMDB',
  async open(folder) {
    const database = open({
      path: join(folder, 'queue.mdb'),
      keyEncoding: 'uint32',
      encoding: 'binary',
      mapSize: 8 * 2 ** 30,
      // Otherwise a commit counts before it is on the disk.
      overlappingSync: false,
    })
    const keys = [...database.getRange({ reverse: true, limit: 1 })]
    let last = keys[0]?.key ?? 0
    let [from, taken] = [0, 0]
    const gathered = new Gathered(async (elements) => {
      await database.transaction(() => {
        for (const element of elements) database.put(++last, element)
      })
      await database.flushed
    })
    return {
      append: (element) => gathered.append(element),
      async take(count) {
        const found = [...database.getRange({ start: taken + 1, limit: count })]
        from = taken
        taken = found.at(-1)?.key ?? taken
        return found.map(({ value }) => value)
      },
      async remove() {
        await database.transaction(() => {
          for (let key = from + 1; key <= taken; key++) database.remove(key)
        })
      },
      close: () => database.close(),
    }
  },
})

const level = ({ ClassicLevel }: Level): StoreKind => ({
  name: 'LevelDB',
  async open(folder) {
    // Elements are compressed already.
    const database = new ClassicLevel(join(folder, 'queue'), { valueEncoding: 'buffer', compression: false })
    await database.open()
    let last = Number((await database.keys({ reverse: true, limit: 1 }).all())[0] ?? 0)
    let taken = ''
    let keys: string[] = []
    const gathered = new Gathered((elements) =>
      database.batch(
        elements.map((value) => ({ type: 'put', key: String(++last).padStart(12, '0'), value })),
        { sync: true },
      ),
    )
    return {
      append: (element) => gathered.append(element),
      async take(count) {
        const found = await database.iterator({ gt: taken, limit: count }).all()
        keys = found.map(([key]) => key)
        taken = keys.at(-1) ?? taken
        return found.map(([, value]) => value)
      },
      remove: () => database.batch(keys.map((key) => ({ type: 'del', key }))),
      close: () => database.close(),
    }
  },
})
