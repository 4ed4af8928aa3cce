import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Gathered, type StoreKind } from './store.ts'

/** SQLite as it comes with Node, which works on the main thread: fsync holds up everything else. */
export const sqlite: StoreKind = {
  name: 'SQLite',
  async open(folder) {
    const database = new DatabaseSync(join(folder, 'queue.sqlite'))
    database.exec('PRAGMA journal_mode = WAL')
    database.exec('PRAGMA synchronous = FULL')
    database.exec('CREATE TABLE IF NOT EXISTS queue (id INTEGER PRIMARY KEY AUTOINCREMENT, element BLOB)')
    const insert = database.prepare('INSERT INTO queue (element) VALUES (?)')
    const select = database.prepare('SELECT id, element FROM queue WHERE id > ? ORDER BY id LIMIT ?')
    const remove = database.prepare('DELETE FROM queue WHERE id <= ?')
    let taken = 0
    const gathered = new Gathered(async (elements) => {
      database.exec('BEGIN IMMEDIATE')
      for (const element of elements) insert.run(element)
      database.exec('COMMIT')
    })
    return {
      append: (element) => gathered.append(element),
      async take(count) {
        const rows = select.all(taken, count) as { id: number; element: Uint8Array }[]
        taken = rows.at(-1)?.id ?? taken
        return rows.map(({ element }) => Buffer.from(element.buffer, element.byteOffset, element.byteLength))
      },
      async remove() {
        remove.run(taken)
      },
      async close() {
        database.close()
      },
    }
  },
}
