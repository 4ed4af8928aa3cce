import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A file with a new key, or with `content`, that is gone when the test is over. */
export function keyFile(content: string | Buffer = `${randomBytes(32).toString('hex')}\n`): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-key-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'key')
  writeFileSync(file, content, { mode: 0o600 })
  return file
}
