import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Sealer, sealKey } from '../../../src/buffer/seal.ts'
import { never } from '../../support/component.ts'
import { keyFile } from '../../support/keys.ts'
import { openLog } from './dead-letters.ts'
import {
  batchOf,
  consume,
  drain,
  eventually,
  GROUP,
  named,
  newFolder,
  openBuffer,
  segmentsIn,
} from './harness.ts'

async function contentOf(folder: string): Promise<string> {
  const files = await segmentsIn(folder)
  return Buffer.concat(await Promise.all(files.map((file) => readFile(join(folder, file))))).toString(
    'latin1',
  )
}

const plain = { compression: 'none' }

describe('an encrypted folder', () => {
  it('shows nothing of what it holds, dead letters included, and gives it back', async () => {
    const folder = newFolder()
    const encryption = { key_file: keyFile() }
    const before = await openBuffer(folder, { ...plain, encryption })
    await before.pushNamed('visible?')
    await before.connector.bury({ batch: named('buried?'), reason: 'why not', pipeline: GROUP }, never)
    await before.stop()

    expect(await contentOf(folder)).not.toContain('visible?')
    expect(await contentOf(join(folder, 'dead'))).not.toMatch(/buried\?|why not/)
    await using after = await openBuffer(folder, { ...plain, encryption })
    expect(await drain(after)).toEqual(['visible?'])
  })

  it('still gives what was stored before encryption was switched on', async () => {
    const folder = newFolder()
    const before = await openBuffer(folder)
    await before.pushNamed('in clear')
    await before.stop()

    await using after = await openBuffer(folder, { encryption: { key_file: keyFile() } })
    await after.pushNamed('sealed')

    expect(await drain(after)).toEqual(['in clear', 'sealed'])
  })

  it('keeps what it has no key for, says so, and hands it out once the key is there', async () => {
    const folder = newFolder()
    const [old, next] = [
      { id: 'old', file: keyFile() },
      { id: 'next', file: keyFile() },
    ]
    const before = await openBuffer(folder, { encryption: { keys: [old] } })
    await before.pushNamed('under the old key')
    await before.stop()

    const without = await openBuffer(folder, { encryption: { keys: [next] } })
    await without.pushNamed('under the next key')
    const consumer = consume(without)
    const lease = await consumer.next()
    await lease.ack()
    await eventually(() => without.context.states.at(-1)?.state === 'degraded')
    const { context } = without
    await consumer.abort()
    await without.stop()

    expect(context.states.map(({ detail }) => detail)).toContainEqual(
      expect.stringContaining('sealed with the key "old"'),
    )
    expect(await context.value('sluice_buffer_undecodable_elements_total')).toBe(0)
    await using after = await openBuffer(folder, { encryption: { keys: [next, old] } })
    expect(await after.context.value('sluice_dead_letter_records')).toBe(0)
    const [first] = await drain(after)
    expect(first).toBe('under the old key')
  })

  it('buries an element that was tampered with, counts it, and goes on', async () => {
    const folder = newFolder()
    const key = Buffer.alloc(32, 7)
    const encryption = { key_file: keyFile(key) }
    await (await openBuffer(folder, { encryption })).stop()
    const log = await openLog(folder)
    const good = batchOf(2)
    good.identify(Buffer.alloc(32))
    const sealed = new Sealer(sealKey('default', key)).seal(good.encode(1e6)[0].bytes)
    const tampered = Buffer.from(sealed)
    tampered[tampered.length - 20] ^= 1
    await log.append({ bytes: tampered, records: 2 })
    await log.append({ bytes: sealed, records: 2 })
    await log.close()

    await using buffer = await openBuffer(folder, { encryption })

    expect(await drain(buffer)).toEqual(['record 0', 'record 1'])
    expect(await buffer.context.value('sluice_buffer_undecodable_elements_total', { group: GROUP })).toBe(1)
    expect(await buffer.context.value('sluice_dead_letter_records')).toBe(2)
  })
})
